#include "unit/connector/dialling_pbx.h"

#include <cstdio>
#include <map>
#include <set>
#include <sstream>

#include "unit/connector/scripted_pbx.h"

namespace connector {

namespace asio = boost::asio;
using base::Errc;

namespace {

class DiallingReception final : public pbx::Reception {
 public:
  DiallingReception(const pbx::Settings& settings, std::uint64_t challenge)
      : password_(settings.text("password")) {
    char digits[17];
    std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(challenge));
    challenge_ = digits;
  }

  Step on_text(std::string_view text) override {
    std::istringstream words{std::string(text)};
    std::string word, name, proof;
    words >> word >> name >> proof;
    if (word == "challenge") return {{challenge_}, {}};
    if (word != "login" || proof != challenge_ + ":" + password_) {
      return {{"refused"}, TurnedAway{Errc::login_rejected, "wrong digest"}};
    }
    return {{}, pbx::Arrival{name, "gateway", "welcome " + name}};
  }

 private:
  std::string password_, challenge_;
};

class DiallingSession final : public pbx::Session {
 public:
  pbx::Effects on_start(pbx::TimePoint) override {
    return {pbx::Stage{call::LinkState::awaiting_pbx}};
  }
  pbx::Effects on_link_open(pbx::LinkId, pbx::TimePoint) override { return {}; }
  pbx::Effects on_link_arrived(pbx::LinkId link, const pbx::Arrival& arrival,
                               pbx::TimePoint) override {
    pbx::Effects effects{pbx::SendText{link, arrival.welcome}};
    for (const auto& [other, pbx] : links_) {
      if (pbx == arrival.pbx) effects.push_back(pbx::CloseLink{other});
    }
    std::erase_if(links_, [&](const auto& it) { return it.second == arrival.pbx; });
    if (links_.empty()) effects.push_back(pbx::Stage{call::LinkState::synchronizing});
    links_[link] = arrival.pbx;
    return effects;
  }
  pbx::Effects on_text(pbx::LinkId, std::string_view text, pbx::TimePoint) override {
    std::istringstream words{std::string(text)};
    std::string word, key;
    words >> word >> key;
    if (word == "call") calls_.insert_or_assign(key, a_call(key, "201", "202"));
    if (word == "gone") calls_.erase(key);
    call::CallsSeen seen;
    for (const auto& [unused, call] : calls_) seen.calls.push_back(call);
    pbx::Effects effects{pbx::Observe{std::move(seen), {}}};
    if (word == "synced") effects.push_back(pbx::Ready{});
    return effects;
  }
  pbx::Effects on_link_closed(pbx::LinkId link, const base::Error& why, const std::string&,
                              pbx::TimePoint) override {
    links_.erase(link);
    if (!links_.empty()) return {};
    return {pbx::GiveUp{why, "the last PBX is gone", {}}};
  }
  pbx::Effects on_command(call::CommandId id, const call::Command&, pbx::TimePoint,
                          pbx::TimePoint) override {
    return {pbx::Answer{id, call::Refusal{Errc::feature_not_supported, ""}}};
  }
  pbx::Effects on_tick(pbx::TimePoint) override { return {}; }
  pbx::TimePoint deadline() const override { return pbx::TimePoint::max(); }

 private:
  std::map<pbx::LinkId, std::string> links_;
  std::map<std::string, call::CallView> calls_;
};

std::string path_of(const pbx::Settings& settings) { return settings.text("path"); }

std::unique_ptr<pbx::Reception> receive(const pbx::Settings& settings, std::uint64_t challenge) {
  return std::make_unique<DiallingReception>(settings, challenge);
}

std::unique_ptr<pbx::Session> make_session(const pbx::Settings&, std::uint64_t) {
  return std::make_unique<DiallingSession>();
}

}  // namespace

const pbx::Vendor& dialling_vendor() {
  static const pbx::Inbound kInbound{&path_of, &receive};
  static const pbx::Vendor kVendor{"dialling",         "Dialling",    {},
                                   every_capability(), &make_session, &kInbound};
  return kVendor;
}

TenantConfig dialling_tenant(const std::string& id, const std::string& path) {
  TenantConfig tenant;
  tenant.id = base::TenantId(id);
  tenant.vendor = &dialling_vendor();
  tenant.settings.set("password", std::string("secret"));
  tenant.settings.set("path", path);
  tenant.path = path;
  tenant.digest = id + " 1";
  tenant.backoff = {std::chrono::hours(1), std::chrono::hours(1)};
  return tenant;
}

asio::awaitable<base::Result<net::WebSocket>> DiallingPbx::dial(std::uint16_t port) {
  net::Endpoint where;
  where.host = "127.0.0.1";
  where.port = std::to_string(port);
  where.target = path;
  return net::WebSocket::connect(std::move(where), {}, nullptr);
}

asio::awaitable<base::Error> DiallingPbx::log_in(net::WebSocket& socket) {
  if (const auto error = co_await socket.write("challenge")) co_return error;
  const auto heard = co_await socket.read();
  if (heard.has_error()) co_return heard.error();
  challenge = *heard;
  const std::string said = login();
  co_return co_await socket.write(said);
}

asio::awaitable<std::string> hear(net::WebSocket& socket) {
  const auto text = co_await socket.read();
  if (text) co_return std::string(*text);
  const std::string reason = socket.close_reason();
  co_return reason.empty() ? base::name_of(text.error()) : "closed " + reason;
}

}  // namespace connector
