#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace pbx {

// What a vendor wants to know of a tenant, as data: the connector's configuration reader asks for
// exactly this under `tenants[].pbx`, checks it, and documents it. Adding a setting is adding a
// row.
enum class SettingKind {
  text,
  choice,  // one of a few words; a text in Settings
  secret,  // in the file as name, name_file or name_env
  boolean,
  integer,
  duration,
  accounts,  // a list of {device, user, password, pinned}: logins of single devices
  tokens,    // a list of {device, token}: tokens of single devices' users
  apps,      // a list of {app, domain, password, scope}: logins signed for browsers
};

struct Setting {
  const char* name;
  SettingKind kind;
  const char* fallback;              // as it would stand in the file; nullptr: required
  const char* meaning;               // a sentence for the reference
  std::int64_t least = 0, most = 0;  // integer: inclusive range; duration: in milliseconds
  std::span<const std::string_view> choices{};  // choice: the words, of which `fallback` is one
};

// The login of one device.
struct Account {
  std::string user, password;
  bool pinned = false;  // keep its connection open
};

// An application whose users' logins we sign.
struct App {
  std::string domain, password;
  // Whether a login may be everybody's at once, with all that the application may see, and not only
  // one user's.
  bool whole = false;
};

using Value = std::variant<std::string, bool, std::int64_t, std::chrono::milliseconds,
                           std::map<std::string, Account>, std::map<std::string, App>,
                           std::map<std::string, std::string>>;

// Checked against the vendor's rows: every row has its value here, of its kind's type.
class Settings {
 public:
  void set(std::string name, Value value) { values_[std::move(name)] = std::move(value); }

  // Precondition: a row of the vendor's has this name and kind; for text(), or is a choice or a
  // secret.
  const std::string& text(std::string_view name) const { return get<std::string>(name); }
  bool boolean(std::string_view name) const { return get<bool>(name); }
  std::int64_t integer(std::string_view name) const { return get<std::int64_t>(name); }
  std::chrono::milliseconds duration(std::string_view name) const {
    return get<std::chrono::milliseconds>(name);
  }
  const std::map<std::string, Account>& accounts(std::string_view name) const {
    return get<std::map<std::string, Account>>(name);
  }
  // By device.
  const std::map<std::string, std::string>& tokens(std::string_view name) const {
    return get<std::map<std::string, std::string>>(name);
  }
  const std::map<std::string, App>& apps(std::string_view name) const {
    return get<std::map<std::string, App>>(name);
  }

 private:
  template <class T>
  const T& get(std::string_view name) const {
    return std::get<T>(values_.find(name)->second);
  }
  std::map<std::string, Value, std::less<>> values_;
};

// A setting that is right by itself, but not beside the others.
struct Mistake {
  const char* setting;   // one of the vendor's rows
  std::string sentence;  // what was expected; never a secret
};

}  // namespace pbx
