#include "control/dispatcher.h"

#include <algorithm>

#include "control/fields.h"
#include "rights/jwt.h"
#include "telemetry/log.h"
#include "wire/names.h"

namespace control {

using base::Errc;
using std::chrono::steady_clock;
using std::chrono::system_clock;

namespace {

constexpr telemetry::log::Logger kLog("rpc");
constexpr std::size_t kTraceparentBytes = 55;

Asker asker_of(const rights::Identity& identity, const CommandLine& line) {
  return control::asker_of(identity, line.address, line.traceparent);
}

Asked asked_of(const CommandLine& line, const std::vector<base::TenantId>& tenants) {
  Asked asked{line.resource, line.request_id, line.destination};
  // What a stream was about is known by the tenants that its messages named.
  if (asked.resource.empty() && tenants.size() == 1) {
    asked.resource = wire::tenant_name(tenants.front());
  }
  asked.app = line.app;
  asked.user = line.user;
  return asked;
}

}  // namespace

Caller Dispatcher::caller_of(const grpc::CallbackServerContext& context, Right right) const {
  const auto now = steady_clock::now();
  // gRPC gives the end of time for a caller who set none; the difference must not overflow.
  const auto deadline = context.deadline();
  auto left = deadlines_.otherwise;
  if (deadline != system_clock::time_point::max()) {
    const auto most = system_clock::now() + deadlines_.most;
    left = deadline >= most
               ? deadlines_.most
               : std::chrono::floor<std::chrono::milliseconds>(deadline - system_clock::now());
  }
  return {std::move(right), now + left, traceparent_of(context), address_of(context.peer())};
}

Answer<Right> Dispatcher::enter(grpc::CallbackServerContext& context, const Shown& shown,
                                const google::protobuf::Message& request,
                                const CommandLine& line) const {
  const auto now = steady_clock::now();
  // To look at a JWT may cost the verification of a signature. Whoever is known by less, or was
  // known a moment ago, has nothing to do with the others at his address.
  const bool has_jwt = rights::is_jwt(shown.credentials.bearer);
  if (has_jwt) {
    auto limited = callers_.may_log_in(line.address, now);
    if (limited && gate_.is_costly(shown)) {
      watch_tools_.metrics.rate_limited.at({"failed_logins"}).add();
      const Rule* rule = rule_of(*request.GetDescriptor());
      turned_away({*limited,
                   {nullptr, rights::Means::jwt, {}},
                   rights::Group::admin,
                   {},
                   rule ? rule->rpc : std::string()},
                  line);
      return *limited;
    }
  }
  auto verdict = gate_.admit(shown, request);
  const bool is_known = verdict || verdict.error().identity.principal;
  if (has_jwt && !is_known) callers_.login_failed(line.address, now);
  if (verdict) {
    const Admitted& admitted = **verdict;
    auto limited = too_often(admitted.identity, admitted.tenants);
    if (!limited) return std::move(*verdict);
    turned_away(admitted, *limited, line);
    return *limited;
  }
  Refused refused = verdict.error();
  if (is_known) {
    // Who asks for what he may not have is not to do so without end either. Which tenants there are
    // he is not to learn from it.
    if (auto limited = too_often(refused.identity, {})) refused.status = *limited;
  }
  if (refused.status.code() == grpc::StatusCode::UNAUTHENTICATED) {
    context.AddTrailingMetadata("www-authenticate", "Bearer");
  }
  turned_away(refused, line);
  return refused.status;
}

std::optional<google::rpc::Status> Dispatcher::too_often(
    const rights::Identity& identity, const std::vector<base::TenantId>& tenants) const {
  // Without a policy there are no callers to be guarded from one another.
  if (identity.means == rights::Means::none) return std::nullopt;
  const bool is_one = tenants.size() == 1 && core_.directory.knows(tenants.front());
  const std::string tenant = is_one ? wire::tenant_name(tenants.front()) : "tenants/-";
  auto limited = callers_.enter(identity.principal->name(), tenant, steady_clock::now());
  if (limited) watch_tools_.metrics.rate_limited.at({"rate"}).add();
  return limited;
}

void Dispatcher::turned_away(const Refused& refused, const CommandLine& line) const {
  audit_.note(asker_of(refused.identity, line), refused.rpc, asked_of(line, refused.tenants),
              /*admitted=*/false, refused.status);
}

void Dispatcher::turned_away(const Admitted& admitted, google::rpc::Status why,
                             const CommandLine& line) const {
  turned_away({std::move(why), admitted.identity, admitted.group, admitted.tenants, admitted.rpc},
              line);
}

void Dispatcher::ended(const Admitted& admitted, const CommandLine& line,
                       const google::rpc::Status& status) const {
  if (!is_audited(admitted.rpc)) return;
  audit_.note(asker_of(admitted.identity, line), admitted.rpc, asked_of(line, admitted.tenants),
              /*admitted=*/true, status);
}

void Dispatcher::end_all() {
  admission_.close([] {});
  using Kind = Admission::Kind;
  for (const Kind kind : {Kind::command, Kind::watch, Kind::signal, Kind::recording}) {
    admission_.abandon(kind);
  }
}

// ---- Streams ----

template <class Stream, class Work>
void Dispatcher::start(const CommandLine& line, Admission::Kind kind, telemetry::Gauge gauge,
                       Shown shown, Right right, std::shared_ptr<Stream> stream,
                       std::shared_ptr<Work> work) {
  if (const auto refused = take_seat(kind, *right)) {
    turned_away(*right, *refused, line);
    return stream->finish(to_grpc(*refused));
  }
  if (const auto refused = admission_.enter(kind, work)) {
    give_back_seat(kind, *right);
    turned_away(*right, *refused, line);
    return stream->finish(to_grpc(*refused));
  }
  if (const auto late = gate_.hold(work, std::move(shown), right)) {
    turned_away(*right, *late, line);
    stream->finish(to_grpc(*late));
    give_back_seat(kind, *right);
    return admission_.leave(kind, work);
  }
  gauge.add(1);
  // Not called for what is still at work when the process ends; it is destroyed then, when we are
  // gone already. So nothing of ours may hang on that.
  auto finish = [this, line = CommandLine(line), kind, gauge, stream,
                 work](std::exception_ptr failure) mutable {
    if (failure) stream->finish(to_grpc(internal_error(line.rpc, failure)));
    gauge.add(-1);
    const auto released = gate_.release(work);
    if constexpr (requires { work->resource(); }) line.resource = work->resource();
    if (released.refused) {
      turned_away(*released.refused, line);
    } else {
      ended(*released.right, line, from_grpc(stream->verdict()));
    }
    give_back_seat(kind, *released.right);
    admission_.leave(kind, work);
  };
  boost::asio::co_spawn(executor_, work->run(), std::move(finish));
}

std::optional<google::rpc::Status> Dispatcher::take_seat(Admission::Kind kind,
                                                         const Admitted& admitted) {
  const rights::Identity& identity = admitted.identity;
  if (identity.means == rights::Means::none) return std::nullopt;
  auto refused = callers_.open_stream(kind, identity.principal->name());
  if (refused) watch_tools_.metrics.rate_limited.at({RateLimits::label_of(kind)}).add();
  return refused;
}

void Dispatcher::give_back_seat(Admission::Kind kind, const Admitted& admitted) {
  const rights::Identity& identity = admitted.identity;
  if (identity.means == rights::Means::none) return;
  callers_.close_stream(kind, identity.principal->name());
}

grpc::ServerWriteReactor<pbxgw::v1::WatchResponse>* Dispatcher::watch(
    grpc::CallbackServerContext& context, const pbxgw::v1::WatchRequest& request) {
  auto stream = WatchStream::make(context, watch_tools_.queue);
  const auto line = line_of("Watch", context, request);
  auto shown = shown_by(context);
  const auto right = enter(context, shown, request, line);
  if (!right) {
    stream->finish(to_grpc(right.error()));
    return stream.get();
  }
  if (const auto failure = EventFilter::check(request)) {
    const auto status = wire::to_status(*failure);
    ended(**right, line, status);
    stream->finish(to_grpc(status));
    return stream.get();
  }
  auto watch = std::make_shared<Watch>(watch_tools_, stream, request, caller_of(context, *right));
  start(line, Admission::Kind::watch, watch_tools_.metrics.watchers, std::move(shown), *right,
        stream, watch);
  return stream.get();
}

grpc::ServerBidiReactor<pbxgw::v1::SignalRequest, pbxgw::v1::SignalResponse>* Dispatcher::signal(
    grpc::CallbackServerContext& context) {
  auto stream = SignalStream::make(context, signal_tools_.queue);
  // What it is about, its first message will say: the gate is asked again then.
  const pbxgw::v1::SignalRequest nothing_yet;
  const auto line = line_of("Signal", context, nothing_yet);
  auto shown = shown_by(context);
  const auto right = enter(context, shown, nothing_yet, line);
  if (!right) {
    stream->finish(to_grpc(right.error()));
    return stream.get();
  }
  auto call =
      std::make_shared<SignalCall>(signal_tools_, executor_, stream, caller_of(context, *right));
  start(line, Admission::Kind::signal, signal_tools_.metrics.signals, std::move(shown), *right,
        stream, call);
  return stream.get();
}

grpc::ServerWriteReactor<pbxgw::v1::GetRecordingResponse>* Dispatcher::download(
    grpc::CallbackServerContext& context, const pbxgw::v1::GetRecordingRequest& request) {
  auto stream = RecordingStream::make(context);
  const auto line = line_of("GetRecording", context, request);
  auto shown = shown_by(context);
  const auto right = enter(context, shown, request, line);
  if (!right) {
    stream->finish(to_grpc(right.error()));
    return stream.get();
  }
  auto name = wire::parse_recording(request.name());
  if (!name || name->tenant.empty() || name->id.empty()) {
    const auto status = wire::to_status(not_of_form("name", request.name(), wire::kRecordingForm));
    ended(**right, line, status);
    stream->finish(to_grpc(status));
    return stream.get();
  }
  auto download = std::make_shared<RecordingDownload>(download_tools_, executor_, stream,
                                                      std::move(*name), caller_of(context, *right));
  start(line, Admission::Kind::recording, download_tools_.metrics.recordings, std::move(shown),
        *right, stream, download);
  return stream.get();
}

google::rpc::Status internal_error(std::string_view rpc, const std::exception_ptr& failure) {
  std::string what = "unknown";
  try {
    std::rethrow_exception(failure);
  } catch (const std::exception& error) {
    what = error.what();
  } catch (...) {
  }
  kLog.error("a handler failed", {{"rpc", rpc}, {"error", what}});
  return refuse(Errc::internal);
}

google::rpc::Status cut_short(bool is_command) {
  if (!is_command) return refuse(Errc::shutting_down);
  return refuse(Errc::outcome_unknown, "This instance is shutting down: it may have been done.");
}

std::string traceparent_of(const grpc::CallbackServerContext& context) {
  const auto& metadata = context.client_metadata();
  const auto found = metadata.find("traceparent");
  // Of another length it is of another version, or none: it would only confuse.
  if (found == metadata.end() || found->second.size() != kTraceparentBytes) return {};
  return std::string(found->second.data(), found->second.size());
}

std::string masked(std::string_view number) {
  std::string text(number.size() > 3 ? number.size() - 3 : 0, '*');
  return text.append(number.substr(text.size()));
}

std::string tenant_part(std::string_view name) {
  const std::size_t first = name.find('/');
  const std::size_t second = first == std::string_view::npos ? first : name.find('/', first + 1);
  return std::string(name.substr(0, second));
}

std::string address_of(std::string_view peer) {
  const std::string_view scheme = peer.substr(0, peer.find(':'));
  if (scheme != "ipv4" && scheme != "ipv6") return std::string(scheme);
  peer.remove_prefix(scheme.size() + 1);
  peer = peer.substr(0, peer.rfind(':'));
  // gRPC writes its brackets as in a URI.
  for (const std::string_view bracket : {"[", "%5B"}) {
    if (peer.starts_with(bracket)) peer.remove_prefix(bracket.size());
  }
  for (const std::string_view bracket : {"]", "%5D"}) {
    if (peer.ends_with(bracket)) peer.remove_suffix(bracket.size());
  }
  return std::string(peer);
}

}  // namespace control
