#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "conformance/gateway.h"

namespace conformance {

// The people at the phones, for scenarios to be written down as one would tell them: one line, one
// deed. After each of them there is a pause in which everything is heard of; then what consumers
// believe must be true.
class Office {
 public:
  explicit Office(Gateway& gateway) : gateway_(gateway) {}

  Gateway& gateway() { return gateway_; }
  // Called in each pause, after the comparison.
  void after_each(std::function<void()> hook) { hook_ = std::move(hook); }
  // A PBX that is meant to say too little cannot be compared in the middle.
  void compare_only_at_the_end() { comparing_ = false; }

  void dial(std::string_view from, std::string_view to, simulator::engine::Plan plan = {});
  void answer(std::string_view device);
  void hang_up(std::string_view device);
  void hold(std::string_view device);
  void retrieve(std::string_view device);
  void transfer(std::string_view device, std::string_view to);
  void complete_transfer(std::string_view device);
  void conference(std::string_view device);
  void pick_up(std::string_view device, std::string_view ringing);
  void deflect(std::string_view device, std::string_view to);
  void record(std::string_view device, bool on);
  void forward(std::string_view device, simulator::engine::Forwarding to);
  void set_do_not_disturb(std::string_view device, bool on);
  void set_busy(std::string_view device, bool on);
  // By a command of ours, if the vendor has it, else at the phone.
  void single_step_transfer(std::string_view device, std::string_view to);
  void wait(Millis time);

  // What consumers believe now is true, or the test fails; unless it could not be heard of yet.
  void compare(const char* after);

  // All hang up; nothing is left of it anywhere, and everything that began has ended once.
  void go_home();

 private:
  void done(const char* what, base::Error error);

  Gateway& gateway_;
  std::function<void()> hook_;
  bool comparing_ = true;
  bool settled_ = true;
};

// The device's only connection as consumers know it.
call::Request request_on(const Gateway& gateway, call::Service service, std::string_view device);

}  // namespace conformance
