#include "connector/history_desk.h"

#include <algorithm>
#include <map>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/overloaded.h"
#include "connector/command_inbox.h"
#include "telemetry/log.h"
#include "wire/history.h"
#include "wire/names.h"
#include "wire/text.h"

namespace connector {

namespace asio = boost::asio;
using base::Errc;
using call::Service;
using pbxgw::v1::HistoryRequest;
using pbxgw::v1::OwnerReply;
using TimePoint = HistoryDesk::TimePoint;
using Done = std::function<void(OwnerReply)>;
using namespace std::chrono_literals;

namespace {

constexpr auto kLog = telemetry::log::Logger("history");
constexpr unsigned kPageMax = 1'000;
// A part that is not full is sent if the rest takes longer than this.
constexpr auto kPartPatience = 250ms;
constexpr std::size_t kContentTypeMax = 128;
constexpr char kBytes[] = "application/octet-stream";

TimePoint now() { return std::chrono::steady_clock::now(); }

wire::Failure failure_of(const call::Refusal& refusal) {
  return {refusal.why, refusal.detail, "", {}};
}

// For the caller, what the network calls otherwise. Nothing was changed at the PBX: he may ask
// again.
wire::Failure failure_of(const base::Error& error, const std::string& why) {
  for (const Errc same : {Errc::timed_out, Errc::message_too_big}) {
    if (error == same) return {same, why, "", {}};
  }
  if (error == Errc::bad_frame) return {Errc::pbx_refused, why, "", {}};
  return {Errc::pbx_disconnected, why, "", {}};
}

// Why a reply of the PBX's is no recording; nothing if it is one.
std::optional<wire::Failure> failure_of(const net::HttpDownload& download, std::string resource) {
  const unsigned status = download.status();
  if (status == 404 || status == 410) {
    return wire::Failure{Errc::recording_not_found,
                         "the PBX does not have this recording",
                         "",
                         {{"resource", std::move(resource)}}};
  }
  if (status == 401) {
    return wire::Failure{Errc::credentials_refused,
                         "the PBX refused the gateway's credentials for the recording",
                         "",
                         {}};
  }
  if (status == 403) {
    return wire::Failure{
        Errc::permission_denied, "the PBX does not let the gateway read this recording", "", {}};
  }
  if (status == 429) {
    return wire::Failure{Errc::too_many_requests, "the PBX takes no more requests for now", "", {}};
  }
  if (status != 200) {
    return wire::Failure{
        Errc::pbx_refused, "the PBX answered with status " + std::to_string(status), "", {}};
  }
  // A server that has no status for its refusals, or a page for browsers.
  const std::string type = download.header("content-type");
  for (const std::string_view words : {"text/", "application/json"}) {
    if (type.starts_with(words)) {
      return wire::Failure{
          Errc::pbx_refused,
          "the PBX answered with " + std::string(words) + "… where a recording was to come",
          "",
          {}};
    }
  }
  return std::nullopt;
}

OwnerReply gone() {
  return reply_of({Errc::owner_moving,
                   "this connector does not know the download any more: begin it anew",
                   "",
                   {}});
}

}  // namespace

// One recording on its way.
struct Transfer {
  Transfer(const asio::any_io_executor& executor, std::string its_id)
      : id(std::move(its_id)), idle(executor) {}

  const std::string id;
  TimePoint limit{};                          // of whoever waits for the opening
  std::optional<net::HttpDownload> download;  // once it is open, until all is read
  asio::cancellation_signal stop_opening;
  asio::steady_timer idle;
  bool over = false;    // whoever still works on it has nobody to tell
  bool counted = true;  // as one that is being fetched
  bool reading = false;
  unsigned number = 0;  // of the part at hand
  std::string part;
  bool last = false;
  Done waiter;  // for the opening, or for the part after it
};

struct HistoryDesk::Impl : std::enable_shared_from_this<Impl> {
  asio::any_io_executor executor;
  Owner owner;
  Limits limits;
  const Metrics& metrics;
  bool closed = false;
  std::uint64_t last_id = 0;
  std::map<std::string, std::shared_ptr<Transfer>> transfers;

  Impl(asio::any_io_executor on, Owner of, Limits its_limits, const Metrics& counts)
      : executor(std::move(on)), owner(std::move(of)), limits(its_limits), metrics(counts) {}

  void take(const HistoryRequest& request, TimePoint limit, Done done) {
    if (closed) return done(reply_of({Errc::owner_moving, "", "", {}}));
    switch (request.body_case()) {
      case HistoryRequest::kSearch:
        return search(request.search(), limit, counted(Service::search_calls, std::move(done)));
      case HistoryRequest::kOpen:
        return open(request.open().recording_id(), limit,
                    counted(Service::get_recording, std::move(done)));
      case HistoryRequest::kRead: return read(request.read(), std::move(done));
      case HistoryRequest::kClose: {
        const auto found = transfers.find(request.close().transfer_id());
        if (found != transfers.end()) end(found->second, "closed", gone());
        OwnerReply reply;
        reply.mutable_history_result()->mutable_closed();
        return done(std::move(reply));
      }
      case HistoryRequest::BODY_NOT_SET: break;
    }
    done(reply_of({Errc::internal, "not a question about the past", "", {}}));
  }

  // What is one RPC to the caller is counted and logged as one; its parts are not.
  Done counted(Service service, Done done) const {
    return [this, service, begun = now(), tell = std::move(done)](OwnerReply reply) {
      const char* rpc = name_of(service);
      const char* code = code_of(reply);
      const auto took = now() - begun;
      metrics.commands.at({rpc, code}).add();
      metrics.command_seconds.at({rpc}).observe(took);
      kLog.info("inquiry",
                {{"tenant", owner.tenant}, {"rpc", rpc}, {"code", code}, {"seconds", took}});
      tell(std::move(reply));
    };
  }

  // Why the PBX is not to be asked.
  std::optional<wire::Failure> obstacle(Service service) const {
    const auto row =
        std::find_if(owner.capabilities.begin(), owner.capabilities.end(),
                     [&](const call::Capability& it) { return it.service == service; });
    if (row == owner.capabilities.end() || row->confirmation == call::Confirmation::none) {
      const std::string note = row == owner.capabilities.end() ? "" : row->note;
      return wire::Failure{
          Errc::feature_not_supported, std::string(name_of(service)) + ": " + note, "", {}};
    }
    return owner.obstacle();
  }

  void ask(call::Inquiry inquiry, TimePoint limit, const Done& done,
           std::function<void(pbx::Inform::Answer)> then) {
    if (!owner.ask(std::move(inquiry), limit, std::move(then))) {
      done(reply_of(
          {Errc::too_many_requests, "too many searches of this PBX wait already", "", {}}));
    }
  }

  // ---- Past calls.

  void search(const HistoryRequest::Search& wanted, TimePoint limit, Done done) {
    if (const auto failure = obstacle(Service::search_calls)) return done(reply_of(*failure));
    auto inquiry = wire::from_proto(wanted);
    if (!inquiry) return done(reply_of({Errc::internal, "not a search for past calls", "", {}}));
    inquiry->limit = std::min(inquiry->limit, kPageMax);
    inquiry->now = std::chrono::system_clock::now();
    auto tell = [self = shared_from_this(), done](pbx::Inform::Answer answer) {
      done(self->page_of(answer));
    };
    ask(std::move(*inquiry), limit, done, std::move(tell));
  }

  OwnerReply page_of(const pbx::Inform::Answer& answer) const {
    if (const auto* refusal = std::get_if<call::Refusal>(&answer)) {
      return reply_of(failure_of(*refusal));
    }
    const auto* page = std::get_if<call::PastCalls>(&answer);
    if (!page) return reply_of({Errc::internal, "the adapter answered another question", "", {}});
    OwnerReply reply;
    *reply.mutable_history_result()->mutable_page() = wire::to_proto(owner.tenant, *page);
    if (reply.ByteSizeLong() <= limits.page_bytes_max) return reply;
    return reply_of({Errc::message_too_big, "the page is too large: ask for fewer calls", "", {}});
  }

  // ---- Recordings.

  void open(const std::string& recording, TimePoint limit, Done done) {
    if (const auto failure = obstacle(Service::get_recording)) return done(reply_of(*failure));
    const auto busy = std::count_if(transfers.begin(), transfers.end(),
                                    [](const auto& it) { return it.second->counted; });
    if (static_cast<std::size_t>(busy) >= limits.transfers_max) {
      return done(reply_of({Errc::too_many_requests,
                            std::to_string(limits.transfers_max) +
                                " recordings of this PBX are being fetched already",
                            "",
                            {}}));
    }
    auto transfer = std::make_shared<Transfer>(
        executor, std::to_string(owner.epoch) + '-' + std::to_string(++last_id));
    transfer->waiter = done;
    transfer->limit = limit;
    transfers[transfer->id] = transfer;
    metrics.recordings.add(1);
    const std::string resource = wire::recording_name(owner.tenant, recording);
    auto then = [self = shared_from_this(), transfer, resource](pbx::Inform::Answer answer) {
      self->found(transfer, resource, std::move(answer));
    };
    auto full = [self = shared_from_this(), transfer](OwnerReply reply) {
      self->end(transfer, "failed", std::move(reply));
    };
    ask(call::FindRecording{recording}, limit, full, std::move(then));
  }

  // The adapter has said where the recording is, or why not.
  void found(const std::shared_ptr<Transfer>& transfer, const std::string& resource,
             pbx::Inform::Answer answer) {
    if (transfer->over) return;
    if (const auto* refusal = std::get_if<call::Refusal>(&answer)) {
      wire::Failure failure = failure_of(*refusal);
      if (failure.why == Errc::recording_not_found) failure.metadata["resource"] = resource;
      return end(transfer, "failed", reply_of(failure));
    }
    auto* source = std::get_if<pbx::RecordingSource>(&answer);
    std::string why = "the adapter answered another question";
    auto way = source ? owner.way(why) : base::Result<Way>(Errc::internal);
    if (!way) return end(transfer, "failed", reply_of({Errc::internal, why, "", {}}));
    way->limits.step = source->limit;
    asio::co_spawn(
        executor,
        connect(shared_from_this(), transfer, resource, std::move(*source), std::move(*way)),
        asio::bind_cancellation_slot(transfer->stop_opening.slot(),
                                     [](const std::exception_ptr&) {}));
  }

  static asio::awaitable<void> connect(std::shared_ptr<Impl> self,
                                       std::shared_ptr<Transfer> transfer, std::string resource,
                                       pbx::RecordingSource source, Way way) {
    std::string why;
    pbx::Handshake& where = source.where;
    net::Endpoint endpoint{where.host, where.port, where.target, where.tls,
                           std::move(where.headers)};
    auto opening = net::HttpDownload::open(self->executor, std::move(endpoint), way.limits,
                                           where.tls ? way.tls : nullptr, &why);
    auto opened = co_await std::move(opening);
    if (transfer->over) co_return;
    if (!opened) {
      self->end(transfer, "failed", reply_of(failure_of(opened.error(), why)));
      co_return;
    }
    if (const auto failure = failure_of(*opened, resource)) {
      self->end(transfer, "failed", reply_of(*failure));
      co_return;
    }
    if (now() >= transfer->limit) {  // nobody would ever ask for it
      self->end(transfer, "idle", reply_of({Errc::timed_out, "", "", {}}));
      co_return;
    }
    transfer->download.emplace(std::move(*opened));
    OwnerReply reply;
    auto& told = *reply.mutable_history_result()->mutable_opened();
    told.set_transfer_id(transfer->id);
    const std::string type = transfer->download->header("content-type").substr(0, kContentTypeMax);
    wire::assign_text(*told.mutable_content_type(), type.empty() ? kBytes : type);
    if (const auto size = transfer->download->size()) {
      told.set_size_bytes(static_cast<std::int64_t>(*size));
    }
    self->watch(transfer);
    self->tell(transfer, std::move(reply));
  }

  void read(const HistoryRequest::Read& wanted, Done done) {
    const auto found = transfers.find(wanted.transfer_id());
    if (found == transfers.end()) return done(gone());
    const auto transfer = found->second;
    watch(transfer);
    if (transfer->number == wanted.number() && wanted.number() > 0) {
      return done(part_of(*transfer));
    }
    if (transfer->last || wanted.number() != transfer->number + 1 ||
        (!transfer->download && !transfer->reading)) {
      return done(reply_of({Errc::internal, "the parts of a recording come in order", "", {}}));
    }
    // Whoever asks again has given up waiting for the first answer.
    if (transfer->waiter) tell(transfer, reply_of({Errc::timed_out, "", "", {}}));
    transfer->waiter = std::move(done);
    if (transfer->reading) return;
    transfer->reading = true;
    asio::co_spawn(executor, fetch(shared_from_this(), transfer), asio::detached);
  }

  static asio::awaitable<void> fetch(std::shared_ptr<Impl> self,
                                     std::shared_ptr<Transfer> transfer) {
    std::string part;
    base::Error failed;
    const auto until = now() + kPartPatience;
    net::HttpDownload& download = *transfer->download;
    while (!failed && !download.done() && part.size() < self->limits.part_bytes_max &&
           (part.empty() || now() < until)) {
      auto reading = download.read(self->limits.part_bytes_max - part.size());
      auto bytes = co_await std::move(reading);
      if (bytes) {
        part += *bytes;
      } else {
        failed = bytes.error();
      }
    }
    transfer->reading = false;
    if (transfer->over) co_return;
    if (failed) {
      std::string why = download.why() + ", after " + std::to_string(transfer->number) + " parts";
      self->end(transfer, "failed", reply_of(failure_of(failed, why)));
      co_return;
    }
    self->metrics.recording_bytes.add(static_cast<double>(part.size()));
    transfer->part = std::move(part);
    transfer->last = download.done();
    ++transfer->number;
    if (transfer->last) {
      transfer->download.reset();
      self->discount(*transfer, "complete");
    }
    self->tell(transfer, part_of(*transfer));
  }

  static OwnerReply part_of(const Transfer& transfer) {
    OwnerReply reply;
    auto& part = *reply.mutable_history_result()->mutable_part();
    part.set_data(transfer.part);
    part.set_last(transfer.last);
    return reply;
  }

  // ---- Their ends.

  void tell(const std::shared_ptr<Transfer>& transfer, OwnerReply reply) {
    if (const Done waiter = std::exchange(transfer->waiter, nullptr)) waiter(std::move(reply));
  }

  // Whoever is read by nobody is over: from now on, and again.
  void watch(const std::shared_ptr<Transfer>& transfer) {
    transfer->idle.expires_after(limits.idle);
    transfer->idle.async_wait(
        [weak = weak_from_this(), late = std::weak_ptr<Transfer>(transfer)](base::Error cancelled) {
          const auto self = weak.lock();
          const auto it = late.lock();
          if (!cancelled && self && it && !it->over) self->end(it, "idle", gone());
        });
  }

  void discount(Transfer& transfer, const char* reason) {
    if (!std::exchange(transfer.counted, false)) return;
    metrics.recordings.add(-1);
    metrics.recordings_ended.at({reason}).add();
  }

  void end(std::shared_ptr<Transfer> transfer, const char* reason, OwnerReply reply) {
    if (std::exchange(transfer->over, true)) return;
    discount(*transfer, reason);
    transfer->idle.cancel();
    transfers.erase(transfer->id);
    if (transfer->download) {
      transfer->download->abort();
    } else {
      transfer->stop_opening.emit(asio::cancellation_type::terminal);
    }
    tell(transfer, std::move(reply));
  }

  void close() {
    closed = true;
    while (!transfers.empty()) {
      const auto transfer = transfers.begin()->second;
      end(transfer, "stopped", reply_of({Errc::owner_moving, "", "", {}}));
    }
  }
};

HistoryDesk::HistoryDesk(asio::any_io_executor executor, Owner owner, Limits limits,
                         const Metrics& metrics)
    : impl_(std::make_shared<Impl>(std::move(executor), std::move(owner), limits, metrics)) {}

HistoryDesk::~HistoryDesk() { close(); }

void HistoryDesk::take(const HistoryRequest& request, TimePoint limit, Done done) {
  impl_->take(request, limit, std::move(done));
}

void HistoryDesk::close() { impl_->close(); }

HistoryDesk::Limits history_limits(const Config& config) {
  HistoryDesk::Limits limits;
  limits.transfers_max = config.recordings_max;
  return limits;
}

}  // namespace connector
