#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "config/watch.h"
#include "control/metrics.h"
#include "rights/policy.h"

namespace control {

// Holds the policy that counts, and reads it anew whenever its file or a key set that it names is
// another. What cannot be used changes nothing: the policy before goes on to count, and every
// problem is logged, once. The same if a file is gone, and stays so for ten times `settle`: whoever
// writes it anew may take it away for a moment. One for the process; made, called back and
// destroyed on the home executor, which runs one handler at a time.
class PolicyKeeper {
 public:
  // Without a `file` the policy is rights::Policy::open(). Throws std::runtime_error, which says
  // everything that is wrong, if the file cannot be used or watched. `settle` as for a FileWatch.
  PolicyKeeper(boost::asio::any_io_executor home, std::filesystem::path file,
               const Metrics& metrics,
               std::chrono::milliseconds settle = std::chrono::milliseconds(200));
  ~PolicyKeeper();
  PolicyKeeper(const PolicyKeeper&) = delete;
  PolicyKeeper& operator=(const PolicyKeeper&) = delete;

  // Never null. Any thread.
  std::shared_ptr<const rights::Policy> current() const;
  // `changed` is called on the home executor each time that current() is another, after it is. It
  // has to be good for as long as this lives.
  void on_change(std::function<void()> changed);

 private:
  void look();
  void reload();
  bool watch(const std::vector<std::filesystem::path>& files);
  bool follow(const std::vector<std::filesystem::path>& files);
  void loaded();

  const boost::asio::any_io_executor home_;
  const std::filesystem::path file_;
  const Metrics& metrics_;
  const std::chrono::milliseconds settle_;
  std::map<std::filesystem::path, std::unique_ptr<config::FileWatch>> watches_;
  std::shared_ptr<boost::asio::steady_timer> absence_;  // runs while one of them is gone
  std::string told_;  // the problems that were logged last, and are still there
  std::vector<std::function<void()>> listeners_;
  mutable std::mutex mutex_;  // current_
  std::shared_ptr<const rights::Policy> current_;
};

}  // namespace control
