#include "control/dispatcher.h"

#include <algorithm>

#include "control/fields.h"
#include "telemetry/log.h"

namespace control {

using base::Errc;
using std::chrono::steady_clock;
using std::chrono::system_clock;

namespace {

constexpr telemetry::log::Logger kLog("rpc");
constexpr std::size_t kTraceparentBytes = 55;

std::string traceparent_of(const grpc::CallbackServerContext& context) {
  const auto& metadata = context.client_metadata();
  const auto found = metadata.find("traceparent");
  // Of another length it is of another version, or none: it would only confuse.
  if (found == metadata.end() || found->second.size() != kTraceparentBytes) return {};
  return std::string(found->second.data(), found->second.size());
}

}  // namespace

Caller Dispatcher::caller_of(const grpc::CallbackServerContext& context) const {
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
  return {now + left, traceparent_of(context), address_of(context.peer())};
}

grpc::ServerWriteReactor<pbxgw::v1::WatchResponse>* Dispatcher::watch(
    grpc::CallbackServerContext& context, const pbxgw::v1::WatchRequest& request) {
  auto stream = WatchStream::make(context, watch_tools_.queue);
  if (const auto failure = EventFilter::check(request)) {
    stream->finish(to_grpc(wire::to_status(*failure)));
    return stream.get();
  }
  auto watch = std::make_shared<Watch>(watch_tools_, stream, request, traceparent_of(context));
  if (const auto refused = admission_.enter(Admission::Kind::watch, watch)) {
    stream->finish(to_grpc(*refused));
    return stream.get();
  }
  watch_tools_.metrics.watchers.add(1);
  auto finish = [this, watch, stream](std::exception_ptr failure) {
    if (failure) stream->finish(to_grpc(internal_error("Watch", failure)));
    watch_tools_.metrics.watchers.add(-1);
    admission_.leave(Admission::Kind::watch, watch);
  };
  boost::asio::co_spawn(executor_, watch->run(), std::move(finish));
  return stream.get();
}

grpc::ServerBidiReactor<pbxgw::v1::SignalRequest, pbxgw::v1::SignalResponse>* Dispatcher::signal(
    grpc::CallbackServerContext& context) {
  auto stream = SignalStream::make(context, signal_tools_.queue);
  auto call =
      std::make_shared<SignalCall>(signal_tools_, executor_, stream, traceparent_of(context));
  if (const auto refused = admission_.enter(Admission::Kind::signal, call)) {
    stream->finish(to_grpc(*refused));
    return stream.get();
  }
  signal_tools_.metrics.signals.add(1);
  auto finish = [this, call, stream](std::exception_ptr failure) {
    if (failure) stream->finish(to_grpc(internal_error("Signal", failure)));
    signal_tools_.metrics.signals.add(-1);
    admission_.leave(Admission::Kind::signal, call);
  };
  boost::asio::co_spawn(executor_, call->run(), std::move(finish));
  return stream.get();
}

grpc::ServerWriteReactor<pbxgw::v1::GetRecordingResponse>* Dispatcher::download(
    grpc::CallbackServerContext& context, const pbxgw::v1::GetRecordingRequest& request) {
  auto stream = RecordingStream::make(context);
  auto name = wire::parse_recording(request.name());
  if (!name || name->tenant.empty() || name->id.empty()) {
    const auto failure = not_of_form("name", request.name(), wire::kRecordingForm);
    stream->finish(to_grpc(wire::to_status(failure)));
    return stream.get();
  }
  auto download = std::make_shared<RecordingDownload>(download_tools_, executor_, stream,
                                                      std::move(*name), traceparent_of(context));
  if (const auto refused = admission_.enter(Admission::Kind::recording, download)) {
    stream->finish(to_grpc(*refused));
    return stream.get();
  }
  download_tools_.metrics.recordings.add(1);
  auto finish = [this, download, stream](std::exception_ptr failure) {
    if (failure) stream->finish(to_grpc(internal_error("GetRecording", failure)));
    download_tools_.metrics.recordings.add(-1);
    admission_.leave(Admission::Kind::recording, download);
  };
  boost::asio::co_spawn(executor_, download->run(), std::move(finish));
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

void log_command(const CommandLine& line, const google::rpc::Status& result) {
  const std::chrono::duration<double, std::milli> time = steady_clock::now() - line.begun;
  const std::string reason = reason_of(result);
  kLog.info("command", {{"rpc", line.rpc},
                        {"tenant", line.tenant},
                        {"request_id", line.request_id},
                        {"destination", line.destination},
                        {"code", result.code()},
                        {"reason", reason},
                        {"ms", time.count()}});
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
