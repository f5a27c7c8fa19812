#include <utility>

#include "pbx/innovaphone/codec_impl.h"

// Users, calls, and answers.
namespace pbx::innovaphone {
namespace {

using base::Errc;
using simdjson::ondemand::value;

constexpr std::string_view kResult = "Result";

base::Result<std::optional<Body>> read_user(simdjson::ondemand::object& fields) {
  UserInfo user;
  bool right = true;
  const bool whole = for_each_field(fields, [&](std::string_view key, value& field) {
    if (key == "update") {
      user.update = text_in(field, kIdMax);
    } else if (key == "guid") {
      user.guid = text_in(field, kIdMax);
    } else if (key == "cn") {
      user.cn = text_in(field);
    } else if (key == "dn") {
      user.dn = text_in(field);
    } else if (key == "h323") {
      user.h323 = text_in(field);
    } else if (key == "e164") {
      user.e164 = text_in(field, kIdMax);
    } else if (key == "node") {
      user.node = text_in(field);
    } else if (key == "pbx") {
      user.pbx = text_in(field);
    } else if (key == "pseudo") {
      user.pseudo = text_in(field, kIdMax);
    } else if (key == "regs") {
      right = for_each_element(field, [&](value&) { ++user.registrations; }) && right;
    } else if (key == "channel") {
      user.channel = number_in(field);
    } else if (key == "alert") {
      user.alert = number_in(field);
    }
  });
  // Without its key there is nobody to tell of.
  if (!whole || !right || user.guid.empty()) return Errc::bad_frame;
  return std::optional<Body>(std::move(user));
}

bool read_connector(Connector& party, value& it) {
  return for_each_field_in(it, [&](std::string_view key, value& field) {
    if (key == "type") {
      party.type = text_in(field, kIdMax);
    } else if (key == "cn") {
      party.cn = text_in(field);
    } else if (key == "dn") {
      party.dn = text_in(field);
    } else if (key == "h323") {
      party.h323 = text_in(field);
    } else if (key == "e164") {
      party.e164 = text_in(field, kIdMax);
    } else if (key == "norm") {
      party.norm = text_in(field, kIdMax);
    }
  });
}

// {type, vali, vals}, of which the cause is the one that counts.
bool read_info(CallInfo& info, value& it) {
  std::string type, text;
  std::optional<int> number;
  const bool whole = for_each_field_in(it, [&](std::string_view key, value& field) {
    if (key == "type") {
      type = text_in(field, kIdMax);
    } else if (key == "vali") {
      if (const auto digits = text_of(field)) number = number_of(*digits);
    } else if (key == "vals") {
      text = text_in(field);
    }
  });
  if (type == "cause") {
    info.cause = number;
    info.cause_text = std::move(text);
  }
  return whole;
}

base::Result<std::optional<Body>> read_call(simdjson::ondemand::object& fields) {
  CallInfo info;
  bool right = true;
  const bool whole = for_each_field(fields, [&](std::string_view key, value& field) {
    if (key == "user") {
      info.user = number_in(field);
    } else if (key == "call") {
      info.call = number_in(field);
    } else if (key == "conf") {
      info.conf = text_in(field, kIdMax);
    } else if (key == "state") {
      info.state = number_in(field);
    } else if (key == "time") {
      if (const auto text = text_of(field)) info.time = number_of(*text);
    } else if (key == "peer") {
      info.peer = {};
      right = read_connector(info.peer, field) && right;
    } else if (key == "no") {
      info.no.clear();
      const auto add = [&](value& it) {
        right = read_connector(info.no.emplace_back(), it) && right;
      };
      right = for_each_element(field, add) && right;
    } else if (key == "msg") {
      info.msg = text_in(field, kIdMax);
    } else if (key == "dtmf") {
      info.dtmf = text_in(field, kIdMax);
    } else if (key == "info") {
      const auto add = [&](value& it) { right = read_info(info, it) && right; };
      right = for_each_element(field, add) && right;
    } else if (key == "del") {
      info.del = flag_in(field);
    }
  });
  if (!whole || !right || info.call == 0) return Errc::bad_frame;
  if (info.msg == "del") info.del = true;  // documented nowhere, but one of the two is always there
  return std::optional<Body>(std::move(info));
}

base::Result<std::optional<Body>> read_result(const Message& message) {
  Result result;
  result.mt = message.mt.substr(0, message.mt.size() - kResult.size());
  std::string error_text;
  bool right = true;
  const bool whole = for_each_field(message.fields, [&](std::string_view key, value& field) {
    if (key == "ok") {
      result.ok = flag_in(field);
    } else if (key == "error") {
      result.error = text_in(field);
    } else if (key == "errorText") {
      error_text = text_in(field);
    } else if (key == "user") {
      result.user = number_in(field);
    } else if (key == "call") {
      result.call = number_in(field);
    } else if (key == "number" || key == "num") {
      result.number = text_in(field, kIdMax);
    } else if (key == "sip") {
      result.sip = text_in(field);
    } else if (key == "loc") {
      result.pbx = text_in(field);
    } else if (key == "devices") {
      const auto add = [&](value& it) {
        std::string hardware;
        right = for_each_field_in(it,
                                  [&](std::string_view name, value& each) {
                                    if (name == "hw") hardware = text_in(each);
                                  }) &&
                right;
        if (!hardware.empty()) result.hardware.push_back(std::move(hardware));
      };
      right = for_each_element(field, add) && right;
    }
  });
  if (!whole || !right) return Errc::bad_frame;
  // What is false or zero is left out, but somebody may write it.
  if (result.error == "0" || result.error == "false") result.error.clear();
  if (!error_text.empty()) {
    if (!result.error.empty()) result.error += ": ";
    result.error += error_text;
  }
  return std::optional<Body>(std::move(result));
}

}  // namespace

Read read_rcc(Message& message) {
  if (message.api == "RCC" && message.mt == "UserInfo") return read_user(message.fields);
  if (message.api == "RCC" && message.mt == "CallInfo") return read_call(message.fields);
  if (message.mt.size() > kResult.size() && message.mt.ends_with(kResult)) {
    return read_result(message);
  }
  return std::optional<Body>();
}

}  // namespace pbx::innovaphone
