#include "conformance/gateway.h"

#include <algorithm>
#include <utility>

#include <gtest/gtest.h>

#include "base/overloaded.h"
#include "conformance/story.h"
#include "unit/pbx/dialogue.h"

namespace conformance {

namespace engine = simulator::engine;
using base::Errc;
using pbx::TimePoint;

namespace {

constexpr Millis kPingsOut = 90s;  // when the connector gives a silent connection up
constexpr Millis kUpgradeLimit = 10s, kLoginLimit = 10s;
constexpr pbx::LinkId kNoLink = ~pbx::LinkId{0};  // nobody knows yet who it is
constexpr int kStepsMax = 2'000'000;

std::vector<std::pair<std::string, std::string>> in_lower_case(
    std::vector<std::pair<std::string, std::string>> headers) {
  for (auto& [name, value] : headers) {
    for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return headers;
}

engine::HttpRequest request_of(std::string method, const pbx::Handshake& where, std::string body) {
  return {std::move(method), where.target, std::move(body), in_lower_case(where.headers)};
}

simulator::TenantSettings office(const Bench& bench, const Variant* variant) {
  simulator::TenantSettings settings;
  settings.name = "office";
  settings.own_listener = true;
  settings.engine.extensions = {"201", "202", "203", "204", "205", "206", "207", "208"};
  settings.engine.ring_timeout = 20s;
  settings.engine.busy_tone = 4s;
  settings.engine.post_dial = 500ms;
  settings.engine.callback_answer = 800ms;
  bench.equip(settings);
  if (variant) variant->apply(settings);
  return settings;
}

pbx::Settings settings_of(const pbx::Vendor& vendor, const Bench& bench,
                          const simulator::Stage& stage) {
  pbx::Settings settings = pbx::test::default_settings(vendor);
  std::vector<std::string> numbers;
  for (const auto& extension : stage.tenant().extensions()) numbers.push_back(extension.number);
  bench.configure(settings, numbers);
  return settings;
}

}  // namespace

Gateway::Gateway(const pbx::Vendor& vendor, const Bench& bench, const Variant* variant)
    : vendor_(vendor),
      bench_(bench),
      now_(std::chrono::hours(1)),
      stage_(office(bench, variant), *this, now_) {
  settings_ = settings_of(vendor, bench, stage_);
  make_owner();
}

Gateway::~Gateway() = default;

void Gateway::change_faults(const std::function<void(engine::Faults&)>& change) {
  simulator::scenario::FaultChange wanted;
  wanted.changes.push_back(change);
  EXPECT_EQ(stage_.change_faults(wanted, now_), "");
  deliver();
}

void Gateway::happen(const engine::Incident& incident) {
  stage_.dialect().happen(incident, now_);
  deliver();
}

// ---- Time.

TimePoint Gateway::next_due() const {
  TimePoint due = std::min(stage_.deadline(), retry_at_);
  if (session_) due = std::min(due, session_->deadline());
  if (!replies_.empty()) due = std::min(due, replies_.begin()->first);
  for (const auto& [id, line] : lines_) due = std::min(due, line.pings_out);
  return due;
}

// Does one thing that is due at now_.
void Gateway::step() {
  if (stage_.deadline() <= now_) {
    stage_.advance(now_);
  } else if (session_ && session_->deadline() <= now_) {
    apply(session_->on_tick(now_));
    EXPECT_FALSE(session_ && session_->deadline() <= now_) << "on_tick() is due again at once";
  } else if (retry_at_ <= now_) {
    begin_session();
  } else {
    const auto silent = std::find_if(lines_.begin(), lines_.end(),
                                     [&](const auto& it) { return it.second.pings_out <= now_; });
    if (silent != lines_.end()) {
      lose(silent->first, silent->second.open ? Errc::ping_timed_out : Errc::timed_out);
    }
  }
  deliver();
}

void Gateway::wait(Millis span) {
  wait_until([] { return false; }, span);
}

bool Gateway::pause() {
  constexpr Millis kLook{50};  // nothing comes and goes in between
  wait(bench_.pause - bench_.lag);
  const std::string before = truth(*this);
  bool same = true;
  for (Millis rest = bench_.lag; rest > Millis(0); rest -= kLook) {
    wait(std::min(rest, kLook));
    same = same && truth(*this) == before;
  }
  return same;
}

bool Gateway::wait_until(const std::function<bool()>& done, Millis most) {
  const TimePoint until = now_ + most;
  deliver();
  for (int steps = 0;; ++steps) {
    if (done()) return true;
    if (steps > kStepsMax) {
      ADD_FAILURE() << "it never comes to rest";
      return false;
    }
    const TimePoint due = next_due();
    if (due > until) break;
    now_ = std::max(now_, due);
    step();
  }
  now_ = until;
  return done();
}

// ---- Connections.

void Gateway::send(engine::ConnectionId to, const engine::Frame& frame) {
  arrivals_.push_back({to, frame});
}

void Gateway::drop(engine::ConnectionId who) { arrivals_.push_back({who, Dropped()}); }

void Gateway::go_silent(engine::ConnectionId who) {
  const auto line = lines_.find(who);
  if (line != lines_.end()) line->second.pings_out = now_ + kPingsOut;
}

// Everything that is on its way arrives now; what comes of it too.
void Gateway::deliver() {
  for (;;) {
    if (!arrivals_.empty()) {
      Arrival next = std::move(arrivals_.front());
      arrivals_.pop_front();
      receive(std::move(next));
    } else if (!replies_.empty() && replies_.begin()->first <= now_) {
      const Reply next = std::move(replies_.extract(replies_.begin()).mapped());
      apply(session_->on_http(next.id, next.reply, "", now_));
    } else {
      return;
    }
  }
}

// As TenantLink's exchange().
void Gateway::request(const pbx::SendHttp& wanted) {
  if (refusing_) {
    replies_.emplace(now_, Reply{wanted.id, Errc::connect_failed});
    return;
  }
  auto asked = request_of(wanted.method, wanted.where, wanted.body);
  engine::HttpAnswer answer = stage_.dialect().on_http(asked, now_);
  EXPECT_NE(answer.kind, engine::HttpAnswer::Kind::accept) << "nobody asked for an upgrade";
  if (answer.kind == engine::HttpAnswer::Kind::drop) {
    replies_.emplace(now_, Reply{wanted.id, Errc::link_lost});
  } else if (answer.kind == engine::HttpAnswer::Kind::never || answer.after > wanted.limit) {
    replies_.emplace(now_ + wanted.limit, Reply{wanted.id, Errc::timed_out});
  } else if (answer.kind == engine::HttpAnswer::Kind::later) {
    promised_[answer.ticket] = wanted.id;
    replies_.emplace(now_ + wanted.limit, Reply{wanted.id, Errc::timed_out});
  } else {
    pbx::HttpReply reply{answer.reply.status, in_lower_case(std::move(answer.reply.headers)),
                         std::move(answer.reply.body)};
    replies_.emplace(now_ + answer.after, Reply{wanted.id, std::move(reply)});
  }
}

// In place of the limit that ran.
void Gateway::answer(std::uint64_t ticket, engine::HttpReply reply) {
  const auto promise = promised_.extract(ticket);
  if (promise.empty()) return;
  const auto waits = std::find_if(replies_.begin(), replies_.end(),
                                  [&](const auto& it) { return it.second.id == promise.mapped(); });
  if (waits == replies_.end()) return;  // the limit has passed
  replies_.erase(waits);
  pbx::HttpReply it{reply.status, in_lower_case(std::move(reply.headers)), std::move(reply.body)};
  replies_.emplace(now_, Reply{promise.mapped(), std::move(it)});
}

// ---- Those that the PBX opens.

engine::ConnectionId Gateway::dial(std::string_view url) {
  Line line;
  line.url = url;
  line.link = kNoLink;
  lines_[++last_connection_] = std::move(line);
  arrivals_.push_back({last_connection_, Dialled()});
  return last_connection_;
}

void Gateway::let_in(engine::ConnectionId connection) {
  Line& line = lines_.at(connection);
  const auto host = line.url.find("://") + 3;
  const std::string path = line.url.substr(std::min(line.url.find('/', host), line.url.size()));
  if (now_ < away_until_ || !vendor_.inbound || path != vendor_.inbound->path(settings_)) {
    return turn_away(connection);
  }
  line.open = true;
  line.pings_out = now_ + kLoginLimit;
  line.reception = vendor_.inbound->receive(settings_, connection * 0x9e3779b97f4a7c15);
  stage_.dialect().on_open(connection, line.url, false, now_);
}

void Gateway::receive_text(engine::ConnectionId connection, std::string_view text) {
  const pbx::Reception::Step step = lines_.at(connection).reception->on_text(text);
  for (const std::string& answer : step.texts) {
    stage_.dialect().on_text(connection, answer, now_);
  }
  if (std::holds_alternative<pbx::Reception::TurnedAway>(step.verdict)) {
    turn_away(connection);
  } else if (const auto* arrival = std::get_if<pbx::Arrival>(&step.verdict)) {
    Line& line = lines_.at(connection);
    line.reception.reset();
    line.link = next_arrived_++;
    line.admitted = *arrival;
    line.pings_out = TimePoint::max();
    if (session_) adopt(connection);
  }
}

void Gateway::turn_away(engine::ConnectionId connection) {
  lines_.erase(connection);
  stage_.dialect().on_closed_at(connection, now_);
}

void Gateway::adopt(engine::ConnectionId connection) {
  Line& line = lines_.at(connection);
  const pbx::Arrival arrival = *std::exchange(line.admitted, std::nullopt);
  apply(session_->on_link_arrived(line.link, arrival, now_));
}

// ---- And those that we do.

// A connection stands: the PBX takes it as a WebSocket, or does not.
void Gateway::upgrade(engine::ConnectionId connection) {
  if (refusing_) return lose(connection, Errc::connect_failed);
  Line& line = lines_.at(connection);
  const engine::HttpAnswer answer = stage_.dialect().on_http(line.upgrade, now_);
  switch (answer.kind) {
    case engine::HttpAnswer::Kind::reply: return lose(connection, Errc::upgrade_refused);
    case engine::HttpAnswer::Kind::drop: return lose(connection, Errc::link_lost);
    case engine::HttpAnswer::Kind::later:  // no upgrade is, and it would be as good as never
    case engine::HttpAnswer::Kind::never: line.pings_out = now_ + kUpgradeLimit; return;
    case engine::HttpAnswer::Kind::accept: break;
  }
  line.open = true;
  // What it says at once arrives after this.
  stage_.dialect().on_open(connection, answer.visitor, false, now_);
  apply(session_->on_link_open(line.link, now_));
}

void Gateway::receive(Arrival arrival) {
  const auto found = lines_.find(arrival.connection);
  if (found == lines_.end()) return;  // closed in the meantime
  Line& line = found->second;
  std::visit(base::overloaded{
                 [&](Opened) { upgrade(arrival.connection); },
                 [&](Dialled) { let_in(arrival.connection); },
                 [&](const engine::Frame& frame) {
                   ++frames_;
                   if (line.reception) return receive_text(arrival.connection, *frame);
                   if (line.admitted) {
                     ADD_FAILURE() << "the PBX talks on before it knows that it is let in";
                     return;
                   }
                   const bool primary = line.link == pbx::kPrimary || !line.url.empty();
                   if (primary) ++heard_;
                   apply(session_->on_text(line.link, *frame, now_));
                   if (primary && cut_at_ && heard_ >= cut_at_->first) {
                     cut(std::exchange(cut_at_, std::nullopt)->second);
                   }
                 },
                 [&](Dropped) { lose(arrival.connection, Errc::link_lost); },
             },
             arrival.what);
}

// A connection has ended without our doing.
void Gateway::lose(engine::ConnectionId connection, base::Error why) {
  const auto found = lines_.find(connection);
  if (found == lines_.end()) return;
  const pbx::LinkId link = found->second.link;
  if (link == kNoLink || found->second.admitted) return turn_away(connection);
  if (link == pbx::kPrimary) return end_session(why, "", {});
  lines_.erase(found);
  stage_.dialect().on_closed_at(connection, now_);
  apply(session_->on_link_closed(link, why, "", now_));
}

Gateway::Line* Gateway::line_of(pbx::LinkId link, engine::ConnectionId* connection) {
  for (auto& [id, line] : lines_) {
    if (line.link != link) continue;
    if (connection) *connection = id;
    return &line;
  }
  return nullptr;
}

void Gateway::hang_up(pbx::LinkId link) {
  engine::ConnectionId connection = 0;
  if (!line_of(link, &connection)) {
    ADD_FAILURE() << "a link is closed that is not there";
    return;
  }
  lines_.erase(connection);
  stage_.dialect().on_closed_at(connection, now_);
}

// ---- The link, as TenantOwner keeps it.

void Gateway::make_owner() {
  call::Fold restored(checkpoint_);
  for (std::size_t i = checkpointed_; i < told_.size(); ++i) restored.apply(told_[i].event);
  tracker_.emplace(vendor_.capabilities, ++epoch_);
  if (epoch_ > 1) tracker_->restore(restored.book());
}

void Gateway::save_checkpoint() {
  checkpoint_ = tracker_->book();
  checkpointed_ = told_.size();
}

void Gateway::connect() {
  away_until_ = now_;
  if (!session_) begin_session();
  EXPECT_TRUE(wait_until([this] { return up_; }, 5min))
      << "the link does not come up: "
      << (last_end_ ? last_end_->why.message() + ", " + last_end_->detail : "it never ended");
}

void Gateway::begin_session() {
  retry_at_ = TimePoint::max();
  if (std::exchange(change_owner_, false)) make_owner();
  set_link(call::LinkState::connecting);
  tracker_->begin_resync();
  session_ = vendor_.make_session(settings_, epoch_ * 1'000 + heard_);
  apply(session_->on_start(now_));
  std::vector<engine::ConnectionId> waiting;
  for (const auto& [connection, line] : lines_) {
    if (line.admitted) waiting.push_back(connection);
  }
  for (const auto connection : waiting) adopt(connection);
  deliver();
}

void Gateway::end_session(base::Error why, const std::string& detail,
                          std::optional<std::chrono::milliseconds> retry_after) {
  session_.reset();
  replies_.clear();
  promised_.clear();
  streams_.clear();
  up_ = false;
  last_end_ = Ended{why, detail};
  for (auto& [connection, line] : std::exchange(lines_, {})) {
    if (line.link == kNoLink || line.admitted) {
      lines_.emplace(connection, std::move(line));  // not the session's
    } else {
      stage_.dialect().on_closed_at(connection, now_);
    }
  }
  for (auto& [id, reply] : commands_) {
    if (!reply) answer(id, call::Refusal{Errc::outcome_unknown, "the link ended before"});
  }
  retry_at_ = now_ + std::max(retry_, retry_after.value_or(0ms));
  set_link(call::LinkState::backing_off, base::name_of(why));
}

void Gateway::cut(Millis away) {
  if (!session_) return;
  cut_at_.reset();
  away_until_ = now_ + away;
  retry_ = away;
  end_session(Errc::link_lost, "", {});
  retry_ = 500ms;
}

void Gateway::lose_connection(engine::ConnectionId connection) {
  drop(connection);
  deliver();
}

void Gateway::cut_after(std::uint64_t messages, Millis away) {
  cut_at_ = {heard_ + messages, away};
}

void Gateway::apply(pbx::Effects effects) {
  for (pbx::Effect& effect : effects) {
    if (!session_) {
      ADD_FAILURE() << "there is something after GiveUp";
      return;
    }
    std::visit(base::overloaded{
                   [&](pbx::OpenLink& it) {
                     EXPECT_EQ(line_of(it.link), nullptr) << "a link is opened twice";
                     auto wanted = request_of("GET", it.where, "");
                     wanted.upgrade = true;
                     Line line;
                     line.link = it.link;
                     line.upgrade = std::move(wanted);
                     lines_[++last_connection_] = std::move(line);
                     arrivals_.push_back({last_connection_, Opened()});
                   },
                   [&](pbx::SendText& it) {
                     engine::ConnectionId connection = 0;
                     const Line* line = line_of(it.link, &connection);
                     EXPECT_TRUE(line && line->open)
                         << "something is sent on a link that is not open";
                     if (line) stage_.dialect().on_text(connection, it.text, now_);
                   },
                   [&](pbx::CloseLink& it) { hang_up(it.link); },
                   [&](pbx::SendHttp& it) { request(it); },
                   [&](pbx::Stage& it) { set_link(it.state); },
                   [&](pbx::Ready&) {
                     tell(tracker_->end_resync(context()));
                     up_ = true;
                     ++snapshots_;
                     set_link(call::LinkState::up);
                   },
                   [&](pbx::Observe& it) { tell(tracker_->apply(it.seen, context())); },
                   [&](pbx::Answer& it) { answer(it.id, std::move(it.reply)); },
                   [&](pbx::Signal& it) {
                     const auto stream = streams_.find(it.id);
                     const bool open = stream != streams_.end() && !stream->second.end;
                     EXPECT_TRUE(open) << "a stream is told something that is not open";
                     if (!open) return;
                     const bool ready = std::holds_alternative<call::SignalReady>(it.message);
                     EXPECT_NE(ready, stream->second.ready) << "a stream is ready first, and once";
                     stream->second.ready = true;
                     stream->second.told.push_back(std::move(it.message));
                   },
                   [&](pbx::EndSignal& it) {
                     const auto stream = streams_.find(it.id);
                     const bool open = stream != streams_.end() && !stream->second.end;
                     EXPECT_TRUE(open) << "a stream ends that is not open";
                     if (open) stream->second.end = Ended{it.why, it.detail};
                   },
                   [](pbx::Inform&) {},  // nobody here asks about the past
                   [](pbx::Fulfil&) {},  // nor sets anything up
                   [](pbx::Note&) {},
                   [&](pbx::GiveUp& it) { end_session(it.why, it.detail, it.retry_after); },
               },
               effect);
  }
}

void Gateway::set_link(call::LinkState state, const std::string& reason) {
  tell(tracker_->link({state, reason, "", {}}, context()));
}

void Gateway::tell(std::vector<call::Event> events) {
  for (call::Event& event : events) {
    for (const std::string& violation : consumer_.apply(event)) {
      ADD_FAILURE() << violation << "\n" << story_of(told_);
    }
    const bool of_the_link = std::holds_alternative<call::LinkEvent>(event.body);
    EXPECT_TRUE(of_the_link || (event.origin == call::Origin::live) == up_)
        << "what was found out by a snapshot is marked so, and nothing else\n"
        << story_of(told_);
    told_.push_back({std::move(event), now_});
  }
}

call::Context Gateway::context() const {
  const auto since = std::chrono::duration_cast<call::Time::duration>(now_.time_since_epoch());
  return {call::Time(since), {}, ""};
}

// ---- Commands.

void Gateway::answer(call::CommandId id, call::Reply reply) {
  const auto command = commands_.find(id);
  if (command == commands_.end() || command->second) {
    ADD_FAILURE() << "command " << id << " is answered twice, or never was";
    return;
  }
  command->second = std::move(reply);
}

call::Reply Gateway::ask(const call::Request& request, Millis limit) {
  if (!up_) return call::Refusal{Errc::pbx_disconnected, ""};
  auto resolved = tracker_->resolve(request);
  if (auto* refusal = std::get_if<call::Refusal>(&resolved)) return *refusal;
  const call::CommandId id = ++last_command_;
  auto& reply = commands_[id];
  apply(session_->on_command(id, std::get<call::Command>(resolved), now_ + limit, now_));
  EXPECT_TRUE(wait_until([&] { return reply.has_value(); }, limit))
      << "the command is not answered";
  return reply.value_or(call::Refusal{Errc::internal, "not answered"});
}

// ---- Media clients.

void Gateway::open_signal(call::SignalId id, const call::SignalOptions& options) {
  ASSERT_TRUE(up_ && !streams_.contains(id));
  streams_[id] = {};
  apply(session_->on_signal_open(id, options, now_));
  deliver();
}

void Gateway::signal(call::SignalId id, const call::FromClient& message) {
  ASSERT_TRUE(up_ && streams_.contains(id));
  if (streams_.at(id).end) return;
  apply(session_->on_signal(id, message, now_));
  deliver();
}

void Gateway::close_signal(call::SignalId id) {
  ASSERT_TRUE(up_ && streams_.contains(id));
  const bool ended = streams_.at(id).end.has_value();
  streams_.erase(id);
  if (!ended) apply(session_->on_signal_close(id, now_));
  deliver();
}

std::vector<call::ToClient> Gateway::take_signals(call::SignalId id) {
  const auto stream = streams_.find(id);
  if (stream == streams_.end()) return {};
  return std::exchange(stream->second.told, {});
}

std::optional<Gateway::Ended> Gateway::signal_end(call::SignalId id) const {
  const auto stream = streams_.find(id);
  return stream == streams_.end() ? std::nullopt : stream->second.end;
}

}  // namespace conformance
