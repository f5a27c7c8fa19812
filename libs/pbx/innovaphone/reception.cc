#include "pbx/innovaphone/reception.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "pbx/json.h"

namespace pbx::innovaphone {

using base::Errc;
using simdjson::ondemand::json_type;
using simdjson::ondemand::object;
using simdjson::ondemand::value;

struct Reception::Message {
  std::string mt, api, src;
  LoginFields login;
  std::string digest;
  std::string pbx_object;  // AppLogin's pbxObj; not covered by the digest
};

namespace {

// The challenge as a PBX would make it.
std::string hex16(std::uint64_t bits) {
  std::string text;
  for (int shift = 60; shift >= 0; shift -= 4) text += "0123456789abcdef"[bits >> shift & 15];
  return text;
}

// With the name of the page or without: some installations have a .htm at the end of the URL.
std::string_view without_htm(std::string_view app) {
  constexpr std::string_view kEnding = ".htm";
  if (app.size() > kEnding.size() && app.ends_with(kEnding)) app.remove_suffix(kEnding.size());
  return app;
}

// What `info` says of where it comes from.
struct Origin {
  std::string appobj, pbx;
};

Origin origin_of(const std::optional<std::string>& info) {
  Origin origin;
  if (!info) return origin;
  auto document = JsonParser::of_this_thread().parse(*info);
  if (!document) return origin;
  const bool whole = for_each_field(*document, [&](std::string_view key, value& field) {
    std::string* into = key == "appobj" ? &origin.appobj : key == "pbx" ? &origin.pbx : nullptr;
    if (!into) return;
    if (const auto text = text_of(field)) *into = *text;
  });
  return whole ? origin : Origin();
}

// "info" as it stands in the message, which is what was signed.
std::optional<std::string> raw_of(value& field) {
  object nested;
  std::string_view raw;
  if (field.get_object().get(nested) || nested.raw_json().get(raw)) return std::nullopt;
  return std::string(raw.substr(0, raw.rfind('}') + 1));
}

std::string listed(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

std::string with_src(std::string text, std::string_view src) {
  if (!src.empty()) {
    text += R"(,"src":)";
    append_json(text, src);
  }
  text += '}';
  return text;
}

pbx::Reception::Step turned_away(Errc why, std::string detail) {
  return {{}, pbx::Reception::TurnedAway{why, std::move(detail)}};
}

}  // namespace

Reception::Reception(Options options, std::uint64_t challenge)
    : options_(std::move(options)), challenge_(hex16(challenge)) {}

pbx::Reception::Step Reception::on_login(const Message& message) {
  over_ = true;
  if (!challenged_) {
    return turned_away(Errc::bad_frame, "it logged in without having asked for a challenge");
  }
  const auto refuse = [&](Errc why, std::string detail) {
    Step step = turned_away(why, std::move(detail));
    step.texts.push_back(with_src(R"({"mt":"AppLoginResult","ok":false)", message.src));
    return step;
  };
  // First of all: what is not signed with the password is nobody's word, not even for a log.
  const LoginFields& login = message.login;
  if (!digest_matches(login, challenge_, options_.password, message.digest)) {
    return refuse(Errc::login_rejected,
                  "its login was not made with the App object's password, or was changed on its "
                  "way");
  }
  // Nothing separates the signed fields but colons: one in a name could make of another login, that
  // of a browser for example, this one.
  for (const std::string* it : {&login.app, &login.domain, &login.sip, &login.guid}) {
    if (!signable(*it, kReceptionMessageMax)) {
      return refuse(Errc::permission_denied, "a name in its login has a colon in it");
    }
  }
  const Origin origin = origin_of(login.info);
  if (!message.pbx_object.empty() || login.sip.empty() || login.sip != origin.appobj) {
    return refuse(Errc::permission_denied,
                  "it is a person's login, or a browser's: somebody opened the App, which has no "
                  "pages; hide it, or take it from the users' start pages");
  }
  if (without_htm(login.app) != without_htm(options_.url_app)) {
    return refuse(Errc::permission_denied, "the App object's URL ends in " + login.app +
                                               "; expected url_app, " + options_.url_app);
  }
  if (login.sip != options_.app_object) {
    return refuse(Errc::permission_denied, "it comes from the App object " + login.sip +
                                               "; expected app_object, " + options_.app_object);
  }
  if (!options_.domain.empty() && login.domain != options_.domain) {
    return refuse(Errc::permission_denied, "it is a PBX of the system " + login.domain +
                                               "; expected domain, " + options_.domain);
  }
  if (!options_.pbxs.empty() &&
      std::find(options_.pbxs.begin(), options_.pbxs.end(), origin.pbx) == options_.pbxs.end()) {
    return refuse(Errc::permission_denied, "it is the PBX " + origin.pbx +
                                               "; expected one of pbxs: " + listed(options_.pbxs));
  }
  std::string welcome = R"({"mt":"AppLoginResult","ok":true,"app":)";
  append_json(welcome, login.app);
  welcome += R"(,"domain":)";
  append_json(welcome, login.domain);
  return {{}, Arrival{origin.pbx, origin.appobj, with_src(std::move(welcome), message.src)}};
}

pbx::Reception::Step Reception::on_text(std::string_view text) {
  if (over_) return turned_away(Errc::bad_frame, "it went on after the end of its login");
  const auto give_up = [&](Errc why, std::string detail) {
    over_ = true;
    return turned_away(why, std::move(detail));
  };
  if (text.size() > kReceptionMessageMax) {
    return give_up(Errc::message_too_big, "it sent a message too big for a login");
  }
  if (++messages_ > kReceptionMessagesMax) {
    return give_up(Errc::bad_frame, "it sent too many messages without logging in");
  }

  constexpr std::pair<std::string_view, std::string LoginFields::*> kSigned[] = {
      {"app", &LoginFields::app},   {"domain", &LoginFields::domain}, {"sip", &LoginFields::sip},
      {"guid", &LoginFields::guid}, {"dn", &LoginFields::dn},
  };
  constexpr std::pair<std::string_view, std::string Message::*> kOthers[] = {
      {"mt", &Message::mt},         {"api", &Message::api},           {"src", &Message::src},
      {"digest", &Message::digest}, {"pbxObj", &Message::pbx_object},
  };
  Message message;
  JsonParser& parser = JsonParser::of_this_thread();
  auto document = parser.parse(text);
  const bool whole =
      document && for_each_field(*document, [&](std::string_view key, value& field) {
        const auto named = [&](const auto& it) { return it.first == key; };
        if (key == "info") {
          message.login.info = raw_of(field);
        } else if (const auto* it = std::find_if(std::begin(kSigned), std::end(kSigned), named);
                   it != std::end(kSigned)) {
          message.login.*it->second = pbx::text_of(field).value_or("");
        } else if (const auto* other = std::find_if(std::begin(kOthers), std::end(kOthers), named);
                   other != std::end(kOthers)) {
          message.*other->second = pbx::text_of(field).value_or("");
        }
      });
  if (!whole || !parser.finished() || message.mt.empty()) {
    return give_up(Errc::bad_frame, "it sent something that is no message of innovaphone's");
  }
  if (!message.api.empty()) {
    return give_up(Errc::bad_frame, "it sent a message of an API without having logged in");
  }

  if (message.mt == "AppChallenge") {
    challenged_ = true;
    std::string answer = R"({"mt":"AppChallengeResult","challenge":")" + challenge_ + '"';
    return {{with_src(std::move(answer), message.src)}, Undecided{}};
  }
  if (message.mt == "AppLogin") return on_login(message);
  if (message.mt == "CheckBuild") {
    // Without a URL: the page that somebody has is the newest there is.
    return {{with_src(R"({"mt":"CheckBuildResult")", message.src)}, Undecided{}};
  }
  if (message.mt == "KeepAlive") return {{R"({"mt":"KeepAlive"})"}, Undecided{}};
  return {{}, Undecided{}};
}

std::string inbound_path(const Settings& settings) {
  if (settings.text("direction") != "inbound") return {};
  std::string path = settings.text("url_path");
  while (!path.empty() && path.back() == '/') path.pop_back();
  if (!path.starts_with('/')) path.insert(path.begin(), '/');
  return path;
}

std::unique_ptr<pbx::Reception> receive(const Settings& settings, std::uint64_t challenge) {
  Reception::Options options;
  options.app_object = settings.text("app_object");
  options.password = settings.text("password");
  options.url_app = settings.text("url_app");
  options.domain = settings.text("domain");
  const std::string& names = settings.text("pbxs");
  constexpr std::string_view kBlanks = " \t\r\n";
  for (std::size_t at = 0; (at = names.find_first_not_of(kBlanks, at)) != std::string::npos;) {
    const std::size_t end = std::min(names.find_first_of(kBlanks, at), names.size());
    options.pbxs.push_back(names.substr(at, end - at));
    at = end;
  }
  return std::make_unique<Reception>(std::move(options), challenge);
}

}  // namespace pbx::innovaphone
