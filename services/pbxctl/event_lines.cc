#include "pbxctl/event_lines.h"

#include <algorithm>

#include "pbxctl/link.h"

namespace pbxctl {
namespace {

using namespace pbxgw::v1;

// Wide enough for most; what is longer pushes its line's rest to the right.
constexpr std::size_t kClockWidth = 12;
constexpr std::size_t kWordWidth = 18;  // connection-cleared
constexpr std::size_t kWhoWidth = 32;
constexpr std::size_t kStateWidth = 22;
constexpr std::size_t kCallWidth = 7;

Color color_of(CallEventType type) {
  switch (type) {
    case CALL_EVENT_TYPE_SERVICE_INITIATED:
    case CALL_EVENT_TYPE_ORIGINATED:
    case CALL_EVENT_TYPE_DIGITS_DIALED:
    case CALL_EVENT_TYPE_NETWORK_REACHED: return Color::cyan;
    case CALL_EVENT_TYPE_OFFERED:
    case CALL_EVENT_TYPE_DELIVERED:
    case CALL_EVENT_TYPE_QUEUED: return Color::yellow;
    case CALL_EVENT_TYPE_ESTABLISHED:
    case CALL_EVENT_TYPE_RETRIEVED: return Color::green;
    case CALL_EVENT_TYPE_HELD: return Color::magenta;
    case CALL_EVENT_TYPE_DIVERTED:
    case CALL_EVENT_TYPE_CONFERENCED:
    case CALL_EVENT_TYPE_TRANSFERRED: return Color::blue;
    case CALL_EVENT_TYPE_FAILED: return Color::red;
    case CALL_EVENT_TYPE_CONNECTION_CLEARED: return Color::dim;
    case CALL_EVENT_TYPE_CALL_CLEARED: return Color::bold;
    default: return Color::none;
  }
}

Color color_of(DeviceEventType type) {
  switch (type) {
    case DEVICE_EVENT_TYPE_OUT_OF_SERVICE:
    case DEVICE_EVENT_TYPE_REMOVED: return Color::red;
    case DEVICE_EVENT_TYPE_BACK_IN_SERVICE:
    case DEVICE_EVENT_TYPE_ADDED: return Color::green;
    default: return Color::dim;
  }
}

bool is_ordinary(Cause cause) {
  return cause == CAUSE_UNSPECIFIED || cause == CAUSE_NORMAL || cause == CAUSE_NORMAL_CLEARING ||
         cause == CAUSE_NEW_CALL;
}

// "busy: User busy"; empty if it is as usual.
std::string cause_text(const CallEvent& event) {
  std::string out = is_ordinary(event.cause()) ? "" : word(event.cause());
  const std::string own = printable(event.vendor_cause().text());
  if (!own.empty() && !out.empty()) out += ": " + own;
  return out;
}

const Connection* connection_of(const CallEvent& event) {
  for (const auto& it : event.call().connections()) {
    if (it.name() == event.connection()) return &it;
  }
  return nullptr;
}

bool is_talking(const Call& call) {
  return std::count_if(call.connections().begin(), call.connections().end(), [](const auto& it) {
           return it.state() == CONNECTION_STATE_CONNECTED || it.state() == CONNECTION_STATE_HOLD;
         }) >= 2;
}

std::string device_text(const Device& it) {
  const auto& name = it.display_name();
  return printable(it.device_id()) + (name.empty() ? "" : " " + printable(name));
}

// What a device event is about.
Cell news_of(const DeviceEvent& event) {
  const Device& it = event.device();
  switch (event.type()) {
    case DEVICE_EVENT_TYPE_ACTIVITY_CHANGED: return {word(it.activity())};
    case DEVICE_EVENT_TYPE_DO_NOT_DISTURB:
      return it.do_not_disturb() ? Cell{"on", Color::red} : Cell{"off"};
    case DEVICE_EVENT_TYPE_FORWARDING: return {it.forwardings().empty() ? "off" : forwardings(it)};
    case DEVICE_EVENT_TYPE_PRESENCE_STATE: return {printable(it.presence())};
    case DEVICE_EVENT_TYPE_AGENT_STATE:
      return {word(it.agent_state()) +
              (it.agent_reason().empty() ? "" : ": " + printable(it.agent_reason()))};
    case DEVICE_EVENT_TYPE_INFORMATION: return {it.controllable() ? "controllable" : "only seen"};
    default: return {};
  }
}

std::string counted(std::size_t count, const char* one) {
  return std::to_string(count) + " " + one + (count == 1 ? "" : "s");
}

}  // namespace

std::string EventLines::line(Time time, const std::string& tenant, const Parts& parts,
                             const Event* event, bool inferred) {
  tenant_width_ = std::max(tenant_width_, width_of(tenant));
  const bool resync = event && event->origin() == ORIGIN_RESYNC;
  const std::string marks = std::string(resync ? "(resync)" : "") +
                            (resync && inferred ? " " : "") + (inferred ? "(inferred)" : "");
  return row({{clock_text(time), Color::dim},
              {tenant},
              parts.word,
              parts.who,
              parts.state,
              parts.call,
              parts.more,
              {marks, Color::dim}},
             {kClockWidth, tenant_width_, kWordWidth, kWhoWidth, kStateWidth, kCallWidth, 0, 0},
             style_) +
         '\n';
}

EventLines::Memory* EventLines::remember(const Call& call) {
  auto found = memory_.find(call.name());
  if (found == memory_.end()) {
    if (memory_.size() == kCallsMax) return nullptr;
    found = memory_.emplace(call.name(), Memory{}).first;
  }
  // A call that is left by one after the other keeps the names of those who were in it.
  std::string who = parties(call);
  if (found->second.who.empty() || call.connections_size() >= 2) found->second.who = std::move(who);
  return &found->second;
}

std::string EventLines::of(const Snapshot& snapshot, Time now) {
  std::string out;
  const std::string tenant = id_of(snapshot.tenant().name());
  devices_ += static_cast<std::size_t>(snapshot.devices_size());
  calls_ += static_cast<std::size_t>(snapshot.calls_size());
  if (snapshot.unreachable()) {
    out += line(now, tenant,
                {{"unreachable", Color::red}, {"its state follows as events"}, {}, {}, {}}, nullptr,
                false);
  } else if (snapshot.tenant().has_link() && tenant != shown_) {
    const Cell state = link_cell(snapshot.tenant().link());
    const auto since = time_of(snapshot.tenant().link().state_time());
    out +=
        line(now, tenant,
             {{"link " + state.text, state.color}, {"for " + length_text(now - since)}, {}, {}, {}},
             nullptr, false);
  }
  shown_ = tenant;
  for (const auto& call : snapshot.calls()) {
    if (Memory* memory = remember(call); memory && is_talking(call)) {
      Time since{};
      for (const auto& it : call.connections()) since = std::max(since, time_of(it.state_time()));
      memory->talking_since = since;
    }
    const std::string state = call.connections().empty() ? "" : word(call.connections(0).state());
    out += line(now, tenant,
                {{"is there", Color::dim},
                 {parties(call)},
                 {state},
                 {id_of(call.name())},
                 {"for " + length_text(now - time_of(call.create_time()))}},
                nullptr, false);
  }
  return out;
}

std::string EventLines::of(const SnapshotComplete&, Time now) {
  const std::string text = counted(devices_, "device") + " and " + counted(calls_, "call") +
                           " now; changes from here on";
  devices_ = calls_ = 0;
  shown_.clear();
  return notice(now, text);
}

std::string EventLines::of(const Event& event) {
  switch (event.body_case()) {
    case Event::kCallEvent: return call_line(event);
    case Event::kDeviceEvent: return device_line(event);
    case Event::kLinkEvent: return link_line(event);
    case Event::kStreamGap: return gap_line(event);
    case Event::BODY_NOT_SET: break;
  }
  return line(time_of(event.receive_time()), tenant_of(event.tenant()),
              {{"unknown"}, {"this pbxctl is older than the gateway"}, {}, {}, {}}, &event, false);
}

std::string EventLines::how_it_ended(const Event& event, const Memory* memory) const {
  if (!memory) return "";
  if (memory->talking_since) {
    const auto length = time_of(event.receive_time()) - *memory->talking_since;
    const bool exact = memory->is_exact && event.origin() == ORIGIN_LIVE;
    return (exact ? "talked " : "talked about ") + length_text(length);
  }
  return memory->was_begun && is_all_ ? "not answered" : "";
}

std::string EventLines::call_line(const Event& event) {
  const CallEvent& it = event.call_event();
  const Call& call = it.call();
  const bool is_last = it.type() == CALL_EVENT_TYPE_CALL_CLEARED;
  const bool is_new = memory_.find(call.name()) == memory_.end();
  Memory* memory = remember(call);
  if (memory && is_new) memory->was_begun = event.origin() == ORIGIN_LIVE && !is_last;
  if (memory && it.type() == CALL_EVENT_TYPE_ESTABLISHED && !memory->talking_since) {
    memory->talking_since = time_of(event.receive_time());
    memory->is_exact = event.origin() == ORIGIN_LIVE && !it.inferred();
  }

  Parts parts;
  parts.word = {word(it.type()), color_of(it.type())};
  parts.who = {memory ? memory->who : parties(call)};
  if (const Connection* connection = connection_of(it)) {
    parts.state = {printable(connection->party().device_id()) + " " + word(connection->state())};
  }
  parts.call = {id_of(call.name()), Color::dim};
  std::string more = cause_text(it);
  const auto add = [&](const std::string& text) {
    if (!text.empty()) more.append(more.empty() ? "" : ", ").append(text);
  };
  if (it.has_other_party()) add("to " + who(it.other_party()));
  if (is_last) add(how_it_ended(event, memory));
  const bool is_trouble = it.type() == CALL_EVENT_TYPE_FAILED;
  parts.more = {more, is_trouble ? Color::red : Color::none};

  std::string out =
      line(time_of(event.receive_time()), tenant_of(event.tenant()), parts, &event, it.inferred());
  if (is_last) memory_.erase(call.name());
  return out;
}

std::string EventLines::device_line(const Event& event) {
  const DeviceEvent& it = event.device_event();
  return line(
      time_of(event.receive_time()), tenant_of(event.tenant()),
      {{word(it.type()), color_of(it.type())}, {device_text(it.device())}, news_of(it), {}, {}},
      &event, false);
}

std::string EventLines::link_line(const Event& event) {
  const LinkStatus& link = event.link_event().status();
  std::string why = link.reason() == LINK_REASON_UNSPECIFIED ? "" : word(link.reason());
  const std::string detail = printable(link.detail());
  if (!detail.empty()) why.append(why.empty() ? "" : ": ").append(detail);
  if (link.has_retry_time()) {
    why.append(why.empty() ? "" : "; ").append("next try ");
    why += clock_text(time_of(link.retry_time()));
  }
  const Cell state = link_cell(link);
  return line(time_of(event.receive_time()), tenant_of(event.tenant()),
              {{"link " + state.text, state.color}, {why}, {}, {}, {}}, &event, false);
}

std::string EventLines::gap_line(const Event& event) {
  const StreamGap& gap = event.stream_gap();
  const auto lost = static_cast<std::size_t>(gap.last_sequence() - gap.first_sequence() + 1);
  return line(time_of(event.receive_time()), tenant_of(event.tenant()),
              {{"gap", Color::red},
               {counted(lost, "event") + " lost: " + printable(gap.reason()), Color::red},
               {},
               {},
               {"from " + clock_text(time_of(gap.start_time())) + " to " +
                clock_text(time_of(gap.end_time()))}},
              &event, false);
}

std::string EventLines::notice(Time now, const std::string& text) const {
  return row({{clock_text(now), Color::dim}, {"-- " + text, Color::dim}}, {kClockWidth}, style_) +
         '\n';
}

}  // namespace pbxctl
