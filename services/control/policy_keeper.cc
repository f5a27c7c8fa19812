#include "control/policy_keeper.h"

#include <algorithm>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>

#include "rights/rules.h"
#include "telemetry/log.h"

namespace control {

namespace fs = std::filesystem;
using config::Problem;
using rights::Policy;

namespace {

constexpr telemetry::log::Logger kLog("policy");
// More of them fill a log; `control --check-policy` says them all.
constexpr std::size_t kProblemsMax = 20;
constexpr std::size_t kNamesMax = 50;
constexpr int kAbsence = 10;  // times `settle`

std::string list_of(const std::vector<std::string>& names) {
  std::string out;
  for (std::size_t i = 0; i < std::min(names.size(), kNamesMax); ++i) {
    out += (i ? "," : "") + names[i];
  }
  if (names.size() > kNamesMax) out += ",… " + std::to_string(names.size());
  return out;
}

std::string lines_of(const std::vector<Problem>& problems) {
  std::string out;
  for (const Problem& problem : problems) out += (out.empty() ? "" : "\n") + problem.text();
  return out;
}

void log(const std::vector<Problem>& problems) {
  for (std::size_t i = 0; i < std::min(problems.size(), kProblemsMax); ++i) {
    kLog.error("the policy cannot be used", {{"problem", problems[i].text()}});
  }
  kLog.error("the policy before it goes on to count", {{"problems", problems.size()}});
}

void log(const rights::Differences& found, std::size_t principals) {
  kLog.info("the policy was read anew", {{"principals", principals},
                                         {"added", list_of(found.added)},
                                         {"removed", list_of(found.removed)},
                                         {"changed", list_of(found.changed)},
                                         {"issuers_changed", list_of(found.issuers)}});
}

}  // namespace

PolicyKeeper::PolicyKeeper(boost::asio::any_io_executor home, fs::path file, const Metrics& metrics,
                           std::chrono::milliseconds settle)
    : home_(std::move(home)),
      file_(std::move(file)),
      metrics_(metrics),
      settle_(settle),
      absence_(std::make_shared<boost::asio::steady_timer>(home_)) {
  if (file_.empty()) {
    current_ = Policy::open();
    return;
  }
  std::vector<Problem> problems;
  std::vector<fs::path> files;
  current_ = Policy::load(file_, problems, &files);
  // Watched, then read once more: so nothing that happens in between is missed.
  if (current_ && watch(files)) current_ = Policy::load(file_, problems);
  if (!current_) throw std::runtime_error("the policy cannot be used:\n" + lines_of(problems));
  loaded();
  kLog.info("the policy was read", {{"principals", current_->rules().members.size()},
                                    {"issuers", current_->rules().issuers.size()}});
}

PolicyKeeper::~PolicyKeeper() = default;

std::shared_ptr<const Policy> PolicyKeeper::current() const {
  const std::lock_guard lock(mutex_);
  return current_;
}

void PolicyKeeper::on_change(std::function<void()> changed) {
  listeners_.push_back(std::move(changed));
}

// One of the files has changed, or is gone.
void PolicyKeeper::look() {
  absence_->cancel();
  const bool is_whole = std::all_of(watches_.begin(), watches_.end(), [](const auto& entry) {
    std::error_code ignored;
    return fs::exists(entry.first, ignored);
  });
  if (is_whole) return reload();
  absence_->expires_after(settle_ * kAbsence);
  absence_->async_wait(
      [this, alive = std::weak_ptr(absence_)](boost::system::error_code cancelled) {
        if (!cancelled && alive.lock()) reload();
      });
}

void PolicyKeeper::reload() {
  std::vector<Problem> problems;
  std::vector<fs::path> files;
  auto policy = Policy::load(file_, problems, &files);
  if (follow(files)) {
    problems.clear();
    policy = Policy::load(file_, problems, &files);
  }
  if (!policy) {
    metrics_.policy_reloads.at({"failed"}).add();
    metrics_.policy_stale.set(1);
    if (auto text = lines_of(problems); text != told_) {
      log(problems);
      told_ = std::move(text);
    }
    return;
  }
  // What is not read any more need not be watched. Not sooner: a file with a mistake in it may have
  // lost the very names of those that will mend it.
  std::erase_if(watches_, [&](const auto& entry) {
    return std::find(files.begin(), files.end(), entry.first) == files.end();
  });
  loaded();
  const auto found = rights::differences(current_->rules(), policy->rules());
  if (found.empty()) return;
  log(found, policy->rules().members.size());
  {
    const std::lock_guard lock(mutex_);
    current_ = std::move(policy);
  }
  for (const auto& listener : listeners_) listener();
}

// Watches those of the files that are not watched yet, and says whether there were any. Throws
// std::system_error.
bool PolicyKeeper::watch(const std::vector<fs::path>& files) {
  bool any = false;
  for (const fs::path& file : files) {
    if (watches_.contains(file)) continue;
    watches_.emplace(file, std::make_unique<config::FileWatch>(
                               home_, file, settle_, [this] { this->look(); },
                               config::FileWatch::Absence::told));
    any = true;
  }
  return any;
}

// As watch(), but goes on without what cannot be watched.
bool PolicyKeeper::follow(const std::vector<fs::path>& files) {
  bool any = false;
  for (const fs::path& file : files) {
    try {
      any = watch({file}) || any;
    } catch (const std::system_error& error) {
      kLog.warning("a file of the policy is not watched",
                   {{"file", file.string()}, {"detail", std::string(error.what())}});
    }
  }
  return any;
}

void PolicyKeeper::loaded() {
  metrics_.policy_reloads.at({"ok"}).add();
  metrics_.policy_loaded.set(std::chrono::system_clock::now());
  metrics_.policy_stale.set(0);
  told_.clear();
}

}  // namespace control
