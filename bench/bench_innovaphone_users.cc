#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <deque>
#include <functional>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <vector>

#include <CLI/CLI.hpp>
#include <malloc.h>  // mallinfo2

#include "base/overloaded.h"
#include "call/tracker.h"
#include "pbx/vendor.h"
#include "simulator/stage.h"
#include "unit/pbx/dialogue.h"

// What a tenant of thousands of innovaphone users costs: the real session and tracker against the
// simulated PBX, in one process and at a time of their own. How long the first snapshot takes is
// the PBX's pace (50 users in 20 ms, and a UserInitialize for each), so it is told in the PBX's
// time; ours is CPU, and memory for each user, beside a floor: a map of their fields, and nothing
// made of them.
namespace {

using namespace std::chrono_literals;
namespace engine = simulator::engine;

double cpu_us() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

std::size_t bytes_in_use() {
  const auto info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

pbx::Settings settings_of(const pbx::Vendor& vendor) {
  pbx::Settings settings = pbx::test::default_settings(vendor);
  settings.set("app_object", std::string("gateway"));
  settings.set("password", std::string("secret"));
  settings.set("host", std::string("pbx.example"));
  return settings;
}

simulator::TenantSettings office(int users) {
  simulator::TenantSettings settings;
  settings.name = "office";
  settings.own_listener = true;
  settings.vendor = simulator::Vendor::innovaphone;
  for (int i = 0; i < users; ++i) settings.engine.extensions.push_back(std::to_string(10'000 + i));
  settings.innovaphone.domain = "office.example";
  simulator::innovaphone::AppObject app;
  app.name = "gateway";
  app.password = "secret";
  settings.innovaphone.apps = {app};
  return settings;
}

// One link, from the login until every user is initialised.
class Office final : private engine::Wire {
 public:
  explicit Office(int users)
      : vendor_(*pbx::find_vendor("innovaphone")),
        stage_(office(users), *this, now_),
        tracker_(vendor_.capabilities, 1),
        session_(vendor_.make_session(settings_of(vendor_), 1)) {}

  // Until the session has been quiet for a second of the PBX's time after Ready.
  void run() {
    tracker_.begin_resync();
    const auto start = now_;
    act([&] { return session_->on_start(now_); });
    for (;;) {
      while (!frames_.empty()) {
        const engine::Frame frame = std::move(frames_.front());
        frames_.pop_front();
        act([&] { return session_->on_text(pbx::kPrimary, *frame, now_); });
      }
      const auto due = std::min(stage_.deadline(), session_->deadline());
      if (ready_ && due - last_heard_ > 1s) break;
      if (due - start > 10min) throw std::runtime_error("the users are not initialised");
      now_ = std::max(now_, due);
      if (stage_.deadline() <= now_) {
        stage_.advance(now_);
      } else {
        act([&] { return session_->on_tick(now_); });
      }
    }
    took_ = last_heard_ - start;
  }

  double cpu() const { return cpu_; }
  double seconds() const { return std::chrono::duration<double>(took_).count(); }
  double ready_seconds() const { return std::chrono::duration<double>(ready_after_).count(); }
  std::size_t frames() const { return heard_; }
  std::size_t most_open() const { return most_open_; }
  std::size_t devices() const { return tracker_.book().devices.size(); }
  // Of the session and the tracker: what is given back when they end.
  std::size_t memory() {
    const std::size_t with = bytes_in_use();
    session_.reset();
    const std::size_t without_session = bytes_in_use();
    tracker_ = call::Tracker(vendor_.capabilities, 1);
    session_memory_ = with - without_session;
    return with - bytes_in_use();
  }
  std::size_t session_memory() const { return session_memory_; }

 private:
  void act(const std::function<pbx::Effects()>& what) {
    const double begun = cpu_us();
    pbx::Effects effects = what();
    for (const auto& effect : effects) {
      if (const auto* it = std::get_if<pbx::Observe>(&effect)) tracker_.apply(it->seen, {});
      if (std::holds_alternative<pbx::Ready>(effect)) tracker_.end_resync({});
    }
    cpu_ += cpu_us() - begun;
    for (auto& effect : effects) {
      std::visit(base::overloaded{
                     [&](pbx::OpenLink& it) {
                       engine::HttpRequest upgrade{"GET", it.where.target, "", {}};
                       upgrade.upgrade = true;
                       const auto answer = stage_.dialect().on_http(upgrade, now_);
                       stage_.dialect().on_open(1, answer.visitor, false, now_);
                       act([&] { return session_->on_link_open(pbx::kPrimary, now_); });
                     },
                     [&](pbx::SendText& it) {
                       initializing_ += it.text.find("\"UserInitialize\"") != it.text.npos;
                       most_open_ = std::max(most_open_, initializing_ - initialized_);
                       stage_.dialect().on_text(1, it.text, now_);
                     },
                     [&](pbx::Ready&) {
                       ready_ = true;
                       ready_after_ = now_ - std::chrono::steady_clock::time_point(1h);
                     },
                     [](pbx::GiveUp& it) { throw std::runtime_error(it.detail); },
                     [](auto&) {},
                 },
                 effect);
    }
  }

  void send(engine::ConnectionId, const engine::Frame& frame) override {
    ++heard_;
    last_heard_ = now_;
    initialized_ += frame->find("\"UserInitializeResult\"") != frame->npos;
    frames_.push_back(frame);
  }
  void logged_in(engine::ConnectionId) override {}
  void drop(engine::ConnectionId) override { throw std::runtime_error("the PBX has hung up"); }
  void go_silent(engine::ConnectionId) override {}
  void refuse(bool) override {}

  const pbx::Vendor& vendor_;
  std::chrono::steady_clock::time_point now_{1h}, last_heard_{1h};
  simulator::Stage stage_;
  std::size_t session_memory_ = 0;
  call::Tracker tracker_;
  std::unique_ptr<pbx::Session> session_;
  std::deque<engine::Frame> frames_;
  bool ready_ = false;
  double cpu_ = 0;
  std::chrono::steady_clock::duration took_{}, ready_after_{};
  std::size_t heard_ = 0, initializing_ = 0, initialized_ = 0, most_open_ = 0;
};

// What anybody would keep of a user.
struct Plain {
  std::string cn, dn, h323, e164, pbx;
  int registrations = 0, channel = 0, alert = 0;
};

std::size_t floor_bytes(int users) {
  const std::size_t before = bytes_in_use();
  std::unordered_map<std::string, Plain> map;
  for (int i = 0; i < users; ++i) {
    const std::string number = std::to_string(10'000 + i);
    const std::string name = "User " + number;
    map.emplace(std::string(32 - number.size(), 'a') + number,
                Plain{name, name, "user" + number, number, "master"});
  }
  return bytes_in_use() - before;
}

std::string measure(int users) {
  Office office(users);
  office.run();
  if (office.devices() != static_cast<std::size_t>(users)) {
    throw std::runtime_error("not all users became devices");
  }
  const auto memory = office.memory();
  char line[300];
  std::snprintf(line, sizeof line,
                R"({"users":%d,"pbx_seconds":%.2f,"ready_seconds":%.2f,"most_open":%zu,)"
                R"("frames":%zu,"cpu_us_per_user":%.1f,"bytes_per_user":%.0f,)"
                R"("session_bytes_per_user":%.0f,"floor_bytes_per_user":%.0f})",
                users, office.seconds(), office.ready_seconds(), office.most_open(),
                office.frames(), office.cpu() / users, static_cast<double>(memory) / users,
                static_cast<double>(office.session_memory()) / users,
                static_cast<double>(floor_bytes(users)) / users);
  return line;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Time, CPU and memory for each user of an innovaphone tenant, by their number.");
  std::vector<int> counts{500, 5'000};
  app.add_option("--users", counts, "How many users the PBX shows")->check(CLI::Range(1, 20'000));
  CLI11_PARSE(app, argc, argv);
  try {
    std::string out;
    for (const int count : counts) out += (out.empty() ? "" : ",") + measure(count);
    std::cout << '[' << out << "]\n";
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "bench_innovaphone_users: " << error.what() << '\n';
    return 1;
  }
}
