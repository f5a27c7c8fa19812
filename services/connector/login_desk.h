#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <unordered_set>
#include <utility>

#include "base/ids.h"
#include "connector/config.h"
#include "connector/metrics.h"
#include "pbx/vendor.h"
#include "pbxgw/v1/command.pb.h"
#include "telemetry/rate_limit.h"
#include "wire/status.h"

namespace connector {

// Lets so many through in a minute, all at once if need be, for each key: a user, an address. It
// remembers a key for as long as its allowance is not whole again, a minute at the most.
class Allowance {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  explicit Allowance(unsigned per_minute);
  bool has(const std::string& key, TimePoint now) const;
  // Takes one; has() it to.
  void take(const std::string& key, TimePoint now);
  std::size_t keys() const { return whole_at_.size(); }

 private:
  std::chrono::nanoseconds step_;              // in which one comes back
  std::map<std::string, TimePoint> whole_at_;  // of keys that lack something
  TimePoint tidy_at_{};
};

// Signs logins for browsers, as control asks for them. It needs the tenant's settings and no link
// to its PBX. Each challenge is signed once, so many of them in a minute, and each question leaves
// a line in the log, with its outcome; never the challenge, nor what was signed.
//
// Lives while the tenant's lease is held, on its owner's executor. What it has signed the next
// owner does not know: a challenge is good for one connection to the PBX, whoever signs it twice.
class LoginDesk {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  // What it needs of the tenant's owner.
  struct Owner {
    base::TenantId tenant;
    const pbx::Vendor* vendor = nullptr;
    std::function<const pbx::Settings&()> settings;  // as they are by now
    // Why nothing may be said for this tenant now; nothing: it may.
    std::function<std::optional<wire::Failure>()> obstacle;
  };
  // In a minute; a question that was refused counts as well, unless it was for these.
  struct Limits {
    unsigned of_tenant = 3'000;
    unsigned of_caller = 1'200;  // by his address: a web server asks for all its users
    unsigned of_user = 20;       // a page that is loaded again and again, or a stolen session
    // How long a challenge is known to be used. A PBX waits for a login for seconds. Together with
    // of_tenant this bounds how many are remembered.
    std::chrono::minutes memory{5};
  };

  LoginDesk(Owner owner, Limits limits, const Metrics& metrics);

  pbxgw::v1::OwnerReply take(const pbxgw::v1::SignRequest& request, TimePoint now);

  // Challenges that it remembers.
  std::size_t remembered() const { return used_.size(); }

 private:
  struct Verdict;
  Verdict judge(const pbxgw::v1::SignRequest& request, TimePoint now);
  std::optional<wire::Failure> over_limit(const pbxgw::v1::SignRequest& request, TimePoint now);
  void forget(TimePoint now);

  const Owner owner_;
  const Limits limits_;
  const Metrics& metrics_;
  Allowance tenant_, callers_, users_;
  std::unordered_set<std::string> used_;                     // challenges
  std::deque<std::pair<TimePoint, std::string>> forgotten_;  // when each of them is
  telemetry::RateLimit refusals_;                            // log lines about those over a limit
};

LoginDesk::Limits login_limits(const Config& config);

}  // namespace connector
