#include "connector/redactor.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstring>
#include <optional>
#include <variant>

#include "base/overloaded.h"

namespace connector {
namespace {

constexpr std::string_view kStars = "***";
constexpr std::string_view kCut = "…";
constexpr std::size_t kBase64Min = 8;                    // letters: less is a word
constexpr std::size_t kMostMin = 8;                      // bytes of a secret that was cut
constexpr std::size_t kNumberMin = 7, kNumberShown = 3;  // digits

// What a text says once it is decoded, and which part of the text said each byte of it.
struct View {
  std::string bytes;
  std::vector<std::uint32_t> from, to;

  void add(char byte, std::uint32_t begin, std::uint32_t end) {
    bytes += byte;
    from.push_back(begin);
    to.push_back(end);
  }
  // `count` bytes of `of` from `at` on are this one.
  void add(char byte, const View& of, std::size_t at, std::size_t count) {
    add(byte, of.from[at], of.to[at + count - 1]);
  }
};

View view_of(std::string_view text) {
  View view;
  for (std::uint32_t i = 0; i < text.size(); ++i) view.add(text[i], i, i + 1);
  return view;
}

std::optional<unsigned> hex(std::string_view digits) {
  unsigned value = 0;
  for (const char c : digits) {
    const auto lower = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    if (!std::isxdigit(static_cast<unsigned char>(c))) return std::nullopt;
    value = value * 16 + static_cast<unsigned>(lower <= '9' ? lower - '0' : lower - 'a' + 10);
  }
  return value;
}

View percent_decoded(const View& text) {
  View view;
  for (std::size_t i = 0; i < text.bytes.size(); ++i) {
    const auto code = text.bytes[i] == '%' && i + 2 < text.bytes.size()
                          ? hex(std::string_view(text.bytes).substr(i + 1, 2))
                          : std::nullopt;
    if (code) {
      view.add(static_cast<char>(*code), text, i, 3);
      i += 2;
    } else {
      view.add(text.bytes[i] == '+' ? ' ' : text.bytes[i], text, i, 1);
    }
  }
  return view;
}

void add_utf8(View& view, unsigned code, const View& of, std::size_t at, std::size_t count) {
  const auto add = [&](unsigned byte) { view.add(static_cast<char>(byte), of, at, count); };
  if (code < 0x80) {
    add(code);
  } else if (code < 0x800) {
    add(0xc0 | code >> 6);
    add(0x80 | (code & 63));
  } else {
    add(0xe0 | code >> 12);
    add(0x80 | (code >> 6 & 63));
    add(0x80 | (code & 63));
  }
}

View json_unescaped(const View& text) {
  View view;
  for (std::size_t i = 0; i < text.bytes.size(); ++i) {
    if (text.bytes[i] != '\\' || i + 1 == text.bytes.size()) {
      view.add(text.bytes[i], text, i, 1);
      continue;
    }
    const char c = text.bytes[i + 1];
    const auto code = c == 'u' && i + 5 < text.bytes.size()
                          ? hex(std::string_view(text.bytes).substr(i + 2, 4))
                          : std::nullopt;
    if (code) {
      add_utf8(view, *code, text, i, 6);
      i += 5;
      continue;
    }
    constexpr std::string_view kNames = "bfnrt", kMeant = "\b\f\n\r\t";
    const auto name = kNames.find(c);
    view.add(name == std::string_view::npos ? c : kMeant[name], text, i, 2);
    ++i;
  }
  return view;
}

int base64_value(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+' || c == '-') return 62;
  if (c == '/' || c == '_') return 63;
  return -1;
}

// `count` letters from `at` on, whatever they are.
View base64_decoded(const View& text, std::size_t at, std::size_t count) {
  View view;
  for (std::size_t i = 0; i + 1 < count; i += 4) {
    std::array<int, 4> value{};
    std::size_t known = 0;
    for (; known < 4 && i + known < count; ++known) {
      value[known] = base64_value(text.bytes[at + i + known]);
    }
    const int bits = value[0] << 18 | value[1] << 12 | value[2] << 6 | value[3];
    for (std::size_t byte = 0; byte + 1 < known; ++byte) {
      view.add(static_cast<char>(bits >> (16 - 8 * byte)), text, at + i + byte, 2);
    }
  }
  return view;
}

std::uint32_t beginning_of(std::string_view text) {
  std::uint32_t value;
  std::memcpy(&value, text.data(), sizeof value);
  return value;
}

// How much of `secret` stands at `at`, if that is all of it, all there is room for, or most of it:
// adapters cut what they quote.
std::size_t length_at(std::string_view text, std::size_t at, std::string_view secret) {
  const auto rest = text.substr(at);
  const auto length = static_cast<std::size_t>(
      std::mismatch(secret.begin(), secret.end(), rest.begin(), rest.end()).first - secret.begin());
  const bool is_cut = rest.size() == length || rest.substr(length).starts_with(kCut) ||
                      rest.substr(length).starts_with("...");
  const bool is_most = length >= kMostMin && 4 * length >= 3 * secret.size();
  const bool counts =
      length == secret.size() || is_most || (length >= Redactor::kSecretMin && is_cut);
  return counts ? length : 0;
}

// All that a Redactor knows.
template <class Index>
struct Known {
  const Index& index;
  const std::deque<std::string>& learned;
  const SecretTraces& earlier;
};

template <class Index>
void hide(const View& view, const Known<Index>& known, std::vector<bool>& hidden) {
  const std::string_view text = view.bytes;
  for (std::size_t i = 0; i + Redactor::kSecretMin <= text.size(); ++i) {
    std::size_t length = 0;
    const auto [first, last] = known.index.equal_range(beginning_of(text.substr(i)));
    for (auto it = first; it != last; ++it)
      length = std::max(length, length_at(text, i, it->second));
    for (const auto& secret : known.learned) {
      if (secret.front() == text[i]) length = std::max(length, length_at(text, i, secret));
    }
    if (known.earlier.may_begin(text.substr(i))) length = text.size() - i;
    for (std::size_t k = i; k < i + length; ++k) {
      std::fill(hidden.begin() + view.from[k], hidden.begin() + view.to[k], true);
    }
  }
}

template <class Index>
void hide_base64(const View& view, const Known<Index>& known, std::vector<bool>& hidden) {
  for (std::size_t i = 0; i < view.bytes.size();) {
    std::size_t end = i;
    while (end < view.bytes.size() && base64_value(view.bytes[end]) >= 0) ++end;
    if (end - i >= kBase64Min) {
      // What comes before it may be a letter of that alphabet too: "/path/" and then the code.
      for (std::size_t skipped = 0; skipped < 4; ++skipped) {
        hide(base64_decoded(view, i + skipped, end - i - skipped), known, hidden);
      }
    }
    i = end + 1;
  }
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; }

// A number that somebody can be called by: not a part of an id, an address or a time.
std::string without_numbers(std::string text) {
  for (std::size_t i = 0; i < text.size();) {
    if (!is_digit(text[i])) {
      ++i;
      continue;
    }
    const bool has_plus = i > 0 && text[i - 1] == '+';
    const std::size_t before = has_plus ? i - 1 : i;
    std::size_t end = i;
    std::vector<std::size_t> digits;
    // Only "+34 911 23-45" may have gaps: "2026-11-22" is no number.
    while (end < text.size() &&
           (is_digit(text[end]) || (has_plus && (text[end] == ' ' || text[end] == '-') &&
                                    end + 1 < text.size() && is_digit(text[end + 1])))) {
      if (is_digit(text[end])) digits.push_back(end);
      ++end;
    }
    const char left = before > 0 ? text[before - 1] : ' ';
    const char right = end < text.size() ? text[end] : ' ';
    const bool goes_on = (right == '.' || right == '-' || right == ':') && end + 1 < text.size() &&
                         is_word(text[end + 1]);
    const bool alone = !is_word(left) && left != '.' && left != '-' && !is_word(right) && !goes_on;
    if (alone && digits.size() >= kNumberMin) {
      for (std::size_t k = 0; k + kNumberShown < digits.size(); ++k) text[digits[k]] = '*';
    }
    i = end;
  }
  return text;
}

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

}  // namespace

Redactor::Redactor(std::shared_ptr<const TenantConfig> tenant) : tenant_(std::move(tenant)) {}

Redactor::Redactor(std::shared_ptr<const TenantConfig> tenant, const Redactor& before)
    : tenant_(std::move(tenant)), learned_(before.learned_), earlier_(before.earlier_) {
  if (before.tenant_ == tenant_) return;
  for (const auto& entry : before.index()) {
    const auto [first, last] = index().equal_range(entry.first);
    const bool is_known =
        std::any_of(first, last, [&entry](const auto& it) { return it.second == entry.second; });
    if (!is_known) learn(entry.second);
  }
}

void Redactor::learn(std::string_view secret) {
  if (secret.size() < kSecretMin) return;
  if (std::find(learned_.begin(), learned_.end(), secret) != learned_.end()) return;
  learned_.emplace_back(secret.substr(0, kTextMax));
  if (learned_.size() <= kLearnedMax) return;
  earlier_.add(learned_.front());
  learned_.pop_front();
}

// "Bearer x" and "session=x; Path=/" are secret from their last space on, or their first '='.
void Redactor::learn(const std::vector<std::pair<std::string, std::string>>& headers) {
  constexpr std::array<std::string_view, 4> kSecret{"authorization", "cookie", "set-cookie",
                                                    "x-webitel-access"};
  for (const auto& [name, value] : headers) {
    const std::string known = lower(name);
    if (std::find(kSecret.begin(), kSecret.end(), known) == kSecret.end()) continue;
    std::string_view secret = value;
    if (known.ends_with("cookie")) {
      secret = secret.substr(0, secret.find(';'));
      if (const auto equals = secret.find('='); equals != secret.npos)
        secret.remove_prefix(equals + 1);
    } else if (const auto space = secret.rfind(' '); space != secret.npos) {
      secret.remove_prefix(space + 1);
    }
    learn(secret);
  }
}

void Redactor::learn(const call::Order& order) {
  std::visit(
      base::overloaded{[&](const call::CreatePhone& it) { learn(it.password); },
                       [&](const call::CreateUser& it) { learn(it.password); }, [](const auto&) {}},
      order);
}

void Redactor::learn(const call::OrderReply& reply) {
  const auto* resource = std::get_if<call::Resource>(&reply);
  if (const auto* token = resource ? std::get_if<call::UserToken>(resource) : nullptr) {
    learn(token->secret);
  }
}

void Redactor::learn_from(std::string_view message) {
  constexpr std::string_view kToken = "\"token\":\"";
  for (auto at = message.find(kToken); at != message.npos; at = message.find(kToken, at)) {
    at += kToken.size();
    learn(message.substr(at, message.find('"', at) - at));
  }
}

const Redactor::Index& Redactor::index() const {
  if (std::exchange(indexed_, true)) return index_;
  const auto add = [this](const std::string& secret) {
    if (secret.size() >= kSecretMin) index_.emplace(beginning_of(secret), secret);
  };
  for (const pbx::Setting& setting : tenant_->vendor->settings) {
    const auto& settings = tenant_->settings;
    switch (setting.kind) {
      case pbx::SettingKind::secret: add(settings.text(setting.name)); break;
      case pbx::SettingKind::accounts:
        for (const auto& [device, account] : settings.accounts(setting.name)) add(account.password);
        break;
      case pbx::SettingKind::tokens:
        for (const auto& [device, token] : settings.tokens(setting.name)) add(token);
        break;
      case pbx::SettingKind::apps:
        for (const auto& [name, app] : settings.apps(setting.name)) add(app.password);
        break;
      default: break;
    }
  }
  return index_;
}

std::string Redactor::text(std::string sentence) const {
  if (sentence.empty()) return sentence;
  const bool is_long = sentence.size() > kTextMax;
  if (is_long) sentence.resize(kTextMax);
  std::vector<bool> hidden(sentence.size());
  const Known<Index> known{index(), learned_, earlier_};
  const auto plain = view_of(sentence);
  const auto json = json_unescaped(plain);
  for (const View& view :
       {plain, json, json_unescaped(json), percent_decoded(plain), percent_decoded(json)}) {
    hide(view, known, hidden);
    hide_base64(view, known, hidden);
  }
  std::string shown;
  for (std::size_t i = 0; i < sentence.size(); ++i) {
    if (!hidden[i]) {
      shown += sentence[i];
    } else if (i == 0 || !hidden[i - 1]) {
      shown += kStars;
    }
  }
  if (is_long) shown += kCut;
  return shown;
}

std::string Redactor::line(std::string sentence) const {
  return without_numbers(text(std::move(sentence)));
}

}  // namespace connector
