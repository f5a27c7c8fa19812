#include "pbxctl/words.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>

#include <google/protobuf/descriptor.h>

#include "wire/text.h"
#include "wire/token.h"

namespace pbxctl {
namespace {

using google::protobuf::EnumDescriptor;
using pbxgw::v1::Service;

// "CALL_EVENT_TYPE_": what stands before UNSPECIFIED.
std::string_view prefix_of(const EnumDescriptor& type) {
  std::string_view first = type.FindValueByNumber(0)->name();
  first.remove_suffix(std::string_view("UNSPECIFIED").size());
  return first;
}

constexpr std::array<const char*, pbxgw::v1::Service_ARRAYSIZE> kVerbs = {"?",
                                                                          "call",
                                                                          "answer",
                                                                          "clear",
                                                                          "clear-call",
                                                                          "hold",
                                                                          "retrieve",
                                                                          "alternate",
                                                                          "reconnect",
                                                                          "consult",
                                                                          "transfer",
                                                                          "blind-transfer",
                                                                          "deflect",
                                                                          "conference",
                                                                          "pickup",
                                                                          "park",
                                                                          "digits",
                                                                          "record-start",
                                                                          "record-stop",
                                                                          "attach-data",
                                                                          "set-dnd",
                                                                          "set-forwarding",
                                                                          "set-presence",
                                                                          "set-agent-state",
                                                                          "webrtc",
                                                                          "history",
                                                                          "recording",
                                                                          "sign-login",
                                                                          "create-phone",
                                                                          "create-user",
                                                                          "create-token",
                                                                          "create-agent",
                                                                          "agent"};

// Control characters, and those that change the direction of what follows.
bool controls_terminals(char32_t c) {
  return c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x202a && c <= 0x202e) ||
         (c >= 0x2066 && c <= 0x2069) || c == 0x200e || c == 0x200f;
}

// Takes one character off the front of valid UTF-8.
char32_t take_character(std::string_view& text) {
  const auto first = static_cast<unsigned char>(text[0]);
  const std::size_t size = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  char32_t c = size == 1 ? first : first & (0xff >> (size + 1));
  for (std::size_t i = 1; i < size; ++i) c = c << 6 | (static_cast<unsigned char>(text[i]) & 0x3f);
  text.remove_prefix(size);
  return c;
}

std::string joined(const std::vector<std::string>& parts, const char* between) {
  std::string out;
  for (const auto& part : parts) out.append(out.empty() ? "" : between).append(part);
  return out;
}

// As many as fit a line, then how many more.
constexpr std::size_t kNamesMax = 3;

std::string side(const pbxgw::v1::Call& call, pbxgw::v1::Role role) {
  std::vector<std::string> names;
  std::size_t more = 0;
  for (const auto& connection : call.connections()) {
    if (connection.role() != role) continue;
    if (names.size() < kNamesMax) {
      names.push_back(who(connection.party()));
    } else {
      ++more;
    }
  }
  if (more > 0) names.push_back(std::to_string(more) + " more");
  return joined(names, ", ");
}

}  // namespace

std::string word(const EnumDescriptor& type, int number) {
  const auto* value = type.FindValueByNumber(number);
  if (!value) return std::to_string(number);
  std::string out = value->name().substr(prefix_of(type).size());
  std::transform(out.begin(), out.end(), out.begin(), [](char c) {
    return c == '_' ? '-' : c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return out;
}

std::vector<std::string> words(const EnumDescriptor& type) {
  std::vector<std::string> out;
  for (int i = 0; i < type.value_count(); ++i) {
    if (type.value(i)->number() != 0) out.push_back(word(type, type.value(i)->number()));
  }
  return out;
}

int number_of(const EnumDescriptor& type, std::string_view text) {
  for (int i = 0; i < type.value_count(); ++i) {
    if (word(type, type.value(i)->number()) == text) return type.value(i)->number();
  }
  return 0;
}

const char* verb_for(Service service) {
  const auto number = static_cast<std::size_t>(service);
  return number < kVerbs.size() ? kVerbs[number] : "?";
}

std::string verbs_for(const google::protobuf::RepeatedField<int>& services) {
  std::vector<std::string> out;
  for (int service : services) out.emplace_back(verb_for(static_cast<Service>(service)));
  return out.empty() ? "-" : joined(out, " ");
}

std::string printable(std::string_view text) {
  std::string valid;
  wire::assign_text(valid, text);
  std::string out;
  for (std::string_view rest = valid; !rest.empty();) {
    const std::string_view before = rest;
    const char32_t c = take_character(rest);
    out += controls_terminals(c) ? "\uFFFD" : before.substr(0, before.size() - rest.size());
  }
  return out;
}

std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  }));
}

std::string who(const pbxgw::v1::Party& party) {
  const auto& number = party.number().empty() ? party.device_id() : party.number();
  std::string out = printable(number);
  if (!party.display_name().empty() && party.display_name() != number) {
    out.append(out.empty() ? "" : " ").append(printable(party.display_name()));
  }
  return out.empty() ? "withheld" : out;
}

std::string parties(const pbxgw::v1::Call& call) {
  std::string from = side(call, pbxgw::v1::ROLE_CALLING);
  std::string to = side(call, pbxgw::v1::ROLE_CALLED);
  if (to.empty()) to = printable(call.dialled_number());
  if (from.empty() && to.empty()) return "";
  return (from.empty() ? "?" : from) + " → " + (to.empty() ? "?" : to);
}

std::string id_of(std::string_view name) {
  const auto last = name.substr(name.rfind('/') + 1);
  return printable(wire::from_token(last).value_or(std::string(last)));
}

std::string tenant_of(std::string_view name) {
  constexpr std::string_view kCollection = "tenants/";
  if (name.starts_with(kCollection)) name.remove_prefix(kCollection.size());
  return id_of(name.substr(0, name.find('/')));
}

std::string forwardings(const pbxgw::v1::Device& device) {
  std::vector<std::string> out;
  for (const auto& it : device.forwardings()) {
    out.push_back("→ " + printable(it.destination()) + " (" + word(it.type()) + ")");
  }
  return out.empty() ? "-" : joined(out, ", ");
}

Time time_of(const google::protobuf::Timestamp& time) {
  return Time(std::chrono::seconds(time.seconds()) +
              std::chrono::duration_cast<Time::duration>(std::chrono::nanoseconds(time.nanos())));
}

std::string clock_text(Time time) {
  const auto whole = std::chrono::floor<std::chrono::seconds>(time);
  const auto millis = std::chrono::floor<std::chrono::milliseconds>(time - whole).count();
  const std::time_t seconds = std::chrono::system_clock::to_time_t(whole);
  std::tm local{};
  ::localtime_r(&seconds, &local);
  char text[32];
  std::snprintf(text, sizeof text, "%02d:%02d:%02d.%03d", local.tm_hour, local.tm_min, local.tm_sec,
                static_cast<int>(millis));
  return text;
}

std::string length_text(std::chrono::system_clock::duration length) {
  const auto total =
      std::max<long long>(0, std::chrono::floor<std::chrono::seconds>(length).count());
  const auto two = [](long long large, char large_unit, long long small, char small_unit) {
    char text[64];
    std::snprintf(text, sizeof text, "%lld%c%02lld%c", large, large_unit, small, small_unit);
    return std::string(text);
  };
  if (total < 60) return std::to_string(total) + "s";
  if (total < 3600) return two(total / 60, 'm', total % 60, 's');
  if (total < 86'400) return two(total / 3600, 'h', total / 60 % 60, 'm');
  return two(total / 86'400, 'd', total / 3600 % 24, 'h');
}

}  // namespace pbxctl
