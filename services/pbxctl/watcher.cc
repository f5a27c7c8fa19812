#include "pbxctl/watcher.h"

#include <random>
#include <utility>

#include "config/values.h"
#include "pbxctl/json.h"
#include "pbxgw/v1/events_service.grpc.pb.h"

namespace pbxctl {
namespace {

using namespace pbxgw::v1;

// The service is gone or going, or was too fast for us. What it had to say comes again.
bool is_passing(const grpc::Status& status) {
  switch (status.error_code()) {
    case grpc::UNAVAILABLE:
    case grpc::CANCELLED:  // by the service: when we cancel, nobody asks
    case grpc::OK: return true;
    case grpc::RESOURCE_EXHAUSTED: return reason_of(status) == "WATCHER_TOO_SLOW";
    default: return false;
  }
}

std::string why_of(const grpc::Status& status) {
  if (status.ok()) return "the service ended the stream";
  const std::string reason = reason_of(status);
  return printable(status.error_message()) + (reason.empty() ? "" : " (" + reason + ")");
}

}  // namespace

Watcher::Watcher(Session& session, WatchOptions options, EventLines lines, Stopper& stopper)
    : session_(session),
      options_(std::move(options)),
      lines_(std::move(lines)),
      stopper_(stopper) {}

Outcome<void> Watcher::run() {
  if (auto connected = session_.connect(); !connected) return connected.error();
  for (;;) {
    const auto status = stream();
    if (!status) return status.error();
    if (stopper_.stopped() || is_done()) break;
    if (!recovers_from(*status)) return session_.failure_of(*status);
    if (stopper_.stopped()) break;
  }
  if (events_ >= options_.expect) return {};
  return Failure{ExitCode::other,
                 "expected at least " + std::to_string(options_.expect) + " events, saw " +
                     std::to_string(events_),
                 {},
                 {}};
}

Outcome<grpc::Status> Watcher::stream() {
  auto channel = session_.channel();
  Events::Stub stub(*channel);
  grpc::ClientContext context;
  // Once the service was there, it is worth waiting for.
  context.set_wait_for_ready(was_heard_);
  if (auto authorized = session_.authorize(context); !authorized) return authorized.error();
  const Stopper::Guard guard(stopper_, context);
  auto reader = stub.Watch(&context, options_.request);
  WatchResponse response;
  while (!is_done() && reader->Read(&response)) take(response);
  if (is_done()) context.TryCancel();
  return reader->Finish();
}

void Watcher::take(const WatchResponse& response) {
  if (is_back_) say("connected again");
  is_back_ = false;
  was_heard_ = true;
  attempts_ = 0;
  const bool is_event = response.has_event();
  if (!response.resume_marker().empty())
    options_.request.set_resume_marker(response.resume_marker());
  if (is_event && is_repeated(response.event())) return;
  if (is_event) ++events_;
  if (session_.json()) {
    session_.out() << json_line(response) << std::endl;
    return;
  }
  const Time now = session_.now();
  switch (response.content_case()) {
    case WatchResponse::kSnapshot: session_.out() << lines_.of(response.snapshot(), now); break;
    case WatchResponse::kSnapshotComplete:
      session_.out() << lines_.of(response.snapshot_complete(), now);
      break;
    case WatchResponse::kEvent: session_.out() << lines_.of(response.event()); break;
    case WatchResponse::CONTENT_NOT_SET: break;  // only a marker
  }
  session_.out() << std::flush;
}

// Events come at least once. Those of an owner that has been replaced are no news either.
bool Watcher::is_repeated(const Event& event) {
  Position& last = positions_[event.tenant()];
  const Position next{event.epoch(), event.sequence()};
  if (std::pair(next.epoch, next.sequence) <= std::pair(last.epoch, last.sequence)) return true;
  last = next;
  return false;
}

bool Watcher::recovers_from(const grpc::Status& status) {
  if (status.error_code() == grpc::OUT_OF_RANGE && !options_.request.resume_marker().empty()) {
    say("the resume marker has expired: what happened in between is lost; starting anew");
    options_.request.clear_resume_marker();
    options_.request.set_skip_snapshot(false);
    return true;
  }
  // A token whose file was replaced meanwhile is worth a try.
  const bool is_renewed =
      reason_of(status) == "CREDENTIALS_EXPIRED" && session_.has_another_token();
  if (!was_heard_ || !(is_passing(status) || is_renewed)) return false;
  const auto delay = base::delay_of(options_.backoff, attempts_++, std::random_device{}());
  say(why_of(status) + "; reconnecting to " + session_.options().server + " in " +
      config::text_of(delay));
  is_back_ = true;
  stopper_.sleep(delay);
  return true;
}

void Watcher::say(const std::string& text) {
  if (session_.json()) {
    session_.err() << "pbxctl: " << text << '\n';
  } else {
    session_.out() << lines_.notice(session_.now(), text) << std::flush;
  }
}

}  // namespace pbxctl
