#include "simulator/innovaphone/dialer.h"

#include <algorithm>

#include "simulator/innovaphone/admin.h"
#include "simulator/innovaphone/digest.h"

namespace simulator::innovaphone {

using engine::ConnectionId;
using engine::TimePoint;

namespace {

constexpr std::uint16_t kNormal = 1000;
constexpr std::string_view kBuild = "137766";

}  // namespace

AppUrl app_url(std::string_view url) {
  const auto scheme = url.find("://");
  const auto path = scheme == std::string_view::npos ? scheme : url.find('/', scheme + 3);
  if (path == std::string_view::npos) return {};
  const auto last = url.rfind('/');
  AppUrl it;
  it.socket = url.starts_with("https") ? "wss" : "ws";
  it.socket += url.substr(scheme, last - scheme);
  it.app = url.substr(last + 1);
  return it;
}

Dialer::Dialer(Pbx& pbx, Outlet& outlet, engine::Wire& wire, TimePoint start)
    : pbx_(pbx), outlet_(outlet), wire_(wire) {
  for (std::size_t i = 0; i < pbx_.settings.pbxs.size(); ++i) {
    for (const AppObject& app : pbx_.settings.apps) {
      if (!app.websocket) continue;
      Line line;
      line.pbx = i;
      line.app = &app;
      line.due = start;
      lines_.push_back(std::move(line));
    }
  }
}

Dialer::Line* Dialer::line_of(ConnectionId connection) {
  for (Line& line : lines_) {
    if (line.connection == connection) return &line;
  }
  return nullptr;
}

bool Dialer::is_connected(const AppObject& app) const {
  return std::any_of(lines_.begin(), lines_.end(),
                     [&](const Line& line) { return line.app == &app && line.logged_in; });
}

TimePoint Dialer::deadline() const {
  TimePoint due = TimePoint::max();
  for (const Line& line : lines_) {
    if (line.connection == 0) due = std::min(due, line.due);
  }
  return due;
}

void Dialer::advance(TimePoint now) {
  for (Line& line : lines_) {
    if (line.connection != 0 || line.due > now) continue;
    line.due = now + pbx_.settings.redial;
    line.connection = wire_.dial(app_url(line.app->url).socket);
  }
}

bool Dialer::on_open(ConnectionId connection, TimePoint now) {
  const Line* line = line_of(connection);
  if (!line) return false;
  Socket& socket = pbx_.sockets[connection];
  socket.id = connection;
  socket.by_us = true;
  socket.pbx = line->pbx;
  socket.app = line->app;
  ++pbx_.counters.accepted["dialled"];
  if (pbx_.faults.no_login || pbx_.faults.silent) return true;
  outlet_.answer(socket, json::object{{"mt", "AppChallenge"}}, now);
  return true;
}

void Dialer::on_closed(ConnectionId connection, TimePoint now) {
  Line* line = line_of(connection);
  if (!line) return;
  line->connection = 0;
  line->logged_in = false;
  line->due = now + pbx_.settings.redial;
}

// Duplicates come when the fault does, and go with it.
void Dialer::set_faults(TimePoint now) {
  std::vector<Line> spares;
  for (const Line& line : lines_) {
    if (line.spare && line.connection != 0) {
      wire_.drop(line.connection);
      pbx_.sockets.erase(line.connection);
    }
    if (line.spare) continue;
    for (std::uint32_t i = 0; i < pbx_.faults.duplicate_sockets; ++i) {
      Line spare;
      spare.pbx = line.pbx;
      spare.app = line.app;
      spare.spare = true;
      spare.due = now;
      spares.push_back(std::move(spare));
    }
  }
  std::erase_if(lines_, [](const Line& line) { return line.spare; });
  for (Line& spare : spares) lines_.push_back(std::move(spare));
}

bool Dialer::on_message(Socket& socket, const Message& message, TimePoint now) {
  Line* line = line_of(socket.id);
  if (!line) return false;
  if (message.mt == "AppInfoResult" || message.mt == "Error") return true;
  if (line->logged_in) return false;
  if (message.mt == "AppChallengeResult") {
    log_in(*line, socket, text_at(message.body, "challenge"), now);
    return true;
  }
  if (message.mt != "AppLoginResult") return false;
  if (flag_at(message.body, "ok")) {
    ++pbx_.counters.logins_ok;
    wire_.logged_in(socket.id);
    if (take_one(pbx_.faults.drop_before_init)) {
      const ConnectionId id = socket.id;
      wire_.drop(id);
      pbx_.sockets.erase(id);
      on_closed(id, now);
      return true;
    }
    line->logged_in = socket.logged_in = true;
    introduce(*line, socket, now);
  } else {
    ++pbx_.counters.logins_refused;
    const ConnectionId id = socket.id;
    on_closed(id, now);
    pbx_.sockets.erase(id);  // `socket` is no more
    wire_.close(id, kNormal, "");
  }
  return true;
}

void Dialer::log_in(Line& line, const Socket& socket, const std::string& challenge, TimePoint now) {
  engine::Faults& faults = pbx_.faults;
  json::object login = login_for(line, challenge, take_one(faults.persons_login));
  if (take_one(faults.wrong_digest)) login["digest"] = sha256_hex("something else");
  json::object said = login;
  if (take_one(faults.replayed_login)) {
    said = line.last_login.empty() ? login_for(line, "0123456789abcdef", false) : line.last_login;
  }
  line.last_login = std::move(login);
  outlet_.tell(socket, said, now, faults.login_delay);
}

json::object Dialer::login_for(const Line& line, const std::string& challenge, bool person) {
  const Settings& settings = pbx_.settings;
  const AppObject& app = *line.app;
  LoginFields fields;
  fields.app = app_url(app.url).app;
  fields.domain = settings.domain;
  fields.sip = fields.dn = app.name;
  fields.guid = guid_of(settings, app);
  std::string cn = app.name;
  if (person && pbx_.users.size() > 0) {
    const User& user = pbx_.users[0];
    fields.sip = user.h323;
    fields.dn = user.dn;
    fields.guid = user.guid;
    cn = user.cn;
  }
  if (take_one(pbx_.faults.wrong_domain)) fields.domain = "elsewhere." + settings.domain;

  json::object info;
  info["appobj"] = app.name;
  info["appdn"] = app.name;
  info["appurl"] = app.url;
  info["pbx"] = settings.pbxs[line.pbx].name;
  info["cn"] = cn;
  put(info, "unlicensed", app.unlicensed);
  if (person) info["groups"] = json::array();
  info["apps"] = json::array();
  fields.info = json::serialize(info);

  const auto digest = login_digest(fields, challenge, app.password);
  if (person) {
    return {{"mt", "AppLogin"},  {"app", fields.app},   {"domain", fields.domain},
            {"sip", fields.sip}, {"guid", fields.guid}, {"dn", fields.dn},
            {"info", info},      {"digest", digest},    {"pbxObj", app.name}};
  }
  return {{"mt", "AppLogin"}, {"sip", fields.sip},       {"guid", fields.guid}, {"dn", fields.dn},
          {"digest", digest}, {"domain", fields.domain}, {"app", fields.app},   {"info", info}};
}

void Dialer::introduce(const Line& line, const Socket& socket, TimePoint now) {
  const Settings& settings = pbx_.settings;
  json::object pbx{{"mt", "PbxInfo"},
                   {"domain", settings.domain},
                   {"pbx", settings.pbxs[line.pbx].name},
                   {"pbxDns", settings.host}};
  pbx["apis"] = json::array(line.app->apis.begin(), line.app->apis.end());
  if (pbx_.knows(Profile::v13r2)) {
    put(pbx, "version", name_of(settings.profile));
    put(pbx, "build", kBuild);
  }
  const json::object app{{"mt", "AppInfo"}, {"app", app_url(line.app->url).app}};
  const bool first = settings.variants.app_info_first;
  if (first) outlet_.tell(socket, app, now);
  if (!pbx_.faults.no_welcome) outlet_.tell(socket, pbx, now);
  if (!first) outlet_.tell(socket, app, now);
}

}  // namespace simulator::innovaphone
