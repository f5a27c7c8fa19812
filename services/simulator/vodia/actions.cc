#include <utility>

#include <boost/json.hpp>

#include "simulator/vodia/dialect.h"
#include "simulator/vodia/phones.h"

// What clients ask for on the socket. What cannot be done is not done, in silence.
namespace simulator::vodia {

namespace json = boost::json;
using engine::ConnectionId;
using engine::Faults;
using engine::TimePoint;

namespace {

constexpr std::size_t kChatMax = 4'096;

}  // namespace

// One action, and which servers know it.
struct Dialect::Action {
  struct At {
    Dialect& dialect;
    ConnectionId connection;
    Peer& peer;
    const ClientFrame& frame;
    TimePoint now;

    Pbx& pbx() const { return dialect.pbx_; }
    void reply(std::string text) const { dialect.send(connection, std::move(text), now); }
    // Of a call named by its id, that the client says is with `from`: it has to be right.
    bool is_with(const std::string& id, const std::string& from) const {
      return from.empty() || from == remote_party(dialect.pbx_, peer.extension, id);
    }
  };
  enum class Of : std::uint8_t { all, subscriptions, domain_state, phone_control };

  std::string_view name;
  Of of;
  void (*perform)(const At& at);
};

const std::vector<Dialect::Action>& Dialect::actions() {
  using At = Action::At;
  using Of = Action::Of;
  static const std::vector<Action> kActions{
      {"avoid-disconnect", Of::all, [](const At&) {}},

      {"get-users", Of::domain_state,
       [](const At& at) {
         at.peer.accounts = true;
         if (at.pbx().faults.no_welcome) return;
         at.reply(at.pbx().encoder.domain_state(at.pbx().faults.init_extensions));
       }},
      {"get-calls", Of::domain_state,
       [](const At& at) {
         at.peer.own_calls = true;
         at.reply(at.dialect.call_list(at.peer.extension));
       }},

      {"own-calls", Of::subscriptions,
       [](const At& at) {
         at.peer.own_calls = at.frame.subscribe;
         if (at.frame.subscribe) at.reply(at.dialect.call_list(at.peer.extension));
       }},
      {"domain-calls", Of::subscriptions,
       [](const At& at) {
         at.peer.tenant_calls = at.frame.subscribe;
         if (at.frame.subscribe && !at.pbx().faults.no_welcome)
           at.reply(at.dialect.call_list(kWholeTenant));
       }},
      {"orbit-calls", Of::subscriptions,
       [](const At& at) {
         at.peer.orbits = at.frame.subscribe;
         if (at.frame.subscribe) at.reply(at.pbx().encoder.orbits());
       }},
      {"blf", Of::subscriptions,
       [](const At& at) {
         const auto& tenant = at.pbx().tenant;
         for (const auto& number : at.frame.remove) {
           at.peer.lamps.erase(tenant.find_extension(number));
         }
         for (const auto& number : at.frame.add) {
           const auto index = tenant.find_extension(number);
           if (index == engine::kOutside) continue;
           at.peer.lamps.insert(index);
           at.reply(at.pbx().encoder.lamp(tenant.extension(index)));
         }
       }},
      {"ringtones", Of::subscriptions,
       [](const At& at) { at.reply(at.pbx().encoder.ring_tones()); }},

      {"make-call", Of::phone_control,
       [](const At& at) {
         (void)dial(at.pbx(), at.peer.extension, Dial::callback, at.frame.to, "", at.now);
       }},
      {"accept-call", Of::phone_control,
       [](const At& at) { (void)answer(at.pbx(), at.peer.extension, at.frame.id, at.now); }},
      {"hold-call", Of::phone_control,
       [](const At& at) { (void)toggle_hold(at.pbx(), at.peer.extension, at.frame.id, at.now); }},
      {"clear-call", Of::phone_control,
       [](const At& at) { (void)hang_up(at.pbx(), at.peer.extension, at.frame.id, at.now); }},
      {"blind-transfer", Of::phone_control,
       [](const At& at) {
         if (!at.is_with(at.frame.id, at.frame.from)) return;
         (void)transfer(at.pbx(), at.peer.extension, at.frame.id, at.frame.to, at.now);
       }},
      {"att-transfer", Of::phone_control,
       [](const At& at) {
         if (!at.is_with(at.frame.id, at.frame.from)) return;
         if (!at.is_with(at.frame.id2, at.frame.to)) return;
         (void)join(at.pbx(), at.peer.extension, at.frame.id, at.frame.id2, at.now);
       }},
      {"rec-call", Of::all,
       [](const At& at) {
         const bool on = at.frame.start_stop == "on";
         if (!on && at.frame.start_stop != "off") return;
         if (at.pbx().faults.actions != Faults::Actions::execute) return;
         (void)record(at.pbx(), at.peer.extension, at.frame.id, on, at.now);
       }},
      {"chat", Of::all,
       [](const At& at) {
         const auto to = at.pbx().user(at.frame.destination);
         if (to == engine::kOutside || at.frame.message.size() > kChatMax) return;
         const auto& own = at.pbx().tenant.extension(at.peer.extension).number;
         const std::string text = json::serialize(json::object{{"action", "chat"},
                                                               {"src", own},
                                                               {"dest", own},  // the peer's name
                                                               {"message", at.frame.message}});
         for (const auto& [id, peer] : at.dialect.peers_) {
           if (peer.extension == to && !peer.deaf) at.dialect.send(id, text, at.now);
         }
       }},
  };
  return kActions;
}

void Dialect::act(ConnectionId connection, Peer& peer, const ClientFrame& frame, TimePoint now) {
  auto& counters = pbx_.counters;
  if (softphones_.act(connection, peer.extension, frame, now)) {
    ++counters.actions[frame.action];
    return;
  }
  for (const Action& action : actions()) {
    if (action.name != frame.action) continue;
    const Settings& settings = pbx_.settings;
    const bool known = action.of == Action::Of::all ||
                       (action.of == Action::Of::subscriptions && settings.has_subscriptions()) ||
                       (action.of == Action::Of::domain_state && settings.has_domain_state()) ||
                       (action.of == Action::Of::phone_control && settings.has_phone_control() &&
                        pbx_.faults.actions == Faults::Actions::execute);
    ++counters.actions[frame.action];
    if (!known) break;
    return action.perform({*this, connection, peer, frame, now});
  }
  ++counters.frames_ignored;
}

}  // namespace simulator::vodia
