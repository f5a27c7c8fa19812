// What a Vodia tenant's list of calls costs, by the number of calls in it, when one call is another
// from list to list: the session with the tracker behind it, of that the part that grows with the
// text, and beside them the naive way, which parses every entry and compares all calls. CPU of this
// thread only; no socket.
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <iostream>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include "base/overloaded.h"
#include "call/tracker.h"
#include "pbx/json.h"
#include "pbx/vendor.h"
#include "pbx/vodia/calls.h"
#include "unit/pbx/dialogue.h"

namespace {

using namespace std::chrono_literals;

constexpr int kAccounts = 2'000;
constexpr int kFirst = 10'000;                          // their numbers
constexpr std::chrono::milliseconds kBetweenLists{50};  // 20 a second

double cpu_us() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) / 1e3;
}

// The calls of a tenant in which one step happens before each list: a call is answered, or it ends
// and another one rings at the same extension.
class Traffic {
 public:
  explicit Traffic(int calls) {
    for (int i = 0; i < calls; ++i) ring(i);
  }

  void step() {
    random_ = random_ * 6364136223846793005u + 1442695040888963407u;
    const auto at = static_cast<std::size_t>((random_ >> 33) % calls_.size());
    if (!calls_[at].answered) {
      calls_[at].answered = true;
      write(calls_[at]);
      return;
    }
    const int extension = calls_[at].extension;
    calls_.erase(calls_.begin() + static_cast<std::ptrdiff_t>(at));
    ring(extension);
  }

  std::string list() const {
    std::string out = R"({"action":"call-state","calls":[)";
    for (const Call& call : calls_) {
      if (out.back() != '[') out += ',';
      out += call.text;
    }
    return out + "]}";
  }

 private:
  struct Call {
    int extension, serial;
    bool answered;
    std::string text;
  };

  void ring(int extension) {
    calls_.push_back({extension, serial_++, false, {}});
    write(calls_.back());
  }

  // As a server of version 70 writes it.
  static void write(Call& call) {
    const std::string number = std::to_string(kFirst + call.extension);
    const std::string outside = "+3491" + std::to_string(1'000'000 + call.serial);
    const std::string start = std::to_string(1'760'000'000 + call.serial) + ".125";
    call.text = R"({"id":"c)" + std::to_string(call.serial) + R"(@pbx.example","from":"<sip:)" +
                outside + R"(@t.example;user=phone>","to":"\"Agent )" + number + R"(\" <sip:)" +
                number + R"(@t.example>","from-number":")" + outside +
                R"(","from-name":"","to-number":")" + number + R"(","to-name":"Agent )" + number +
                R"(","state":")" + (call.answered ? "connected" : "alerting") +
                R"(","extension":[")" + number + R"("],"start":")" + start + R"(","connect":")" +
                (call.answered ? start : "") + R"(","cmc":""})";
  }

  std::vector<Call> calls_;
  int serial_ = 0;
  std::uint64_t random_ = 1;
};

std::string accounts_json() {
  std::string out = "[";
  for (int i = 0; i < kAccounts; ++i) {
    const std::string number = std::to_string(kFirst + i);
    out += (i > 0 ? ",{" : "{") + (R"("name":")" + number) + R"(","displayname":"Agent )" + number +
           R"(","dnd":false,"registered":true})";
  }
  return out + ']';
}

pbx::Settings settings_of(const pbx::Vendor& vendor) {
  pbx::Settings settings = pbx::test::default_settings(vendor);
  settings.set("user", std::to_string(kFirst));
  settings.set("admin_user", std::string("admin"));
  settings.set("confirm_limit", std::chrono::milliseconds(1s));
  return settings;
}

// A session with its tracker, and a server that grants it everything.
class Gateway {
 public:
  explicit Gateway(const pbx::Vendor& vendor)
      : session_(vendor.make_session(settings_of(vendor), 1)), tracker_(vendor.capabilities, 1) {
    carry_out(session_->on_start(now_));
    if (!open_) throw std::runtime_error("no login");
    carry_out(session_->on_link_open(pbx::kPrimary, now_));
  }

  // CPU in µs of one list.
  double hear(const std::string& text) {
    now_ += kBetweenLists;
    if (session_->deadline() <= now_) carry_out(session_->on_tick(now_));
    const double start = cpu_us();
    const pbx::Effects effects = session_->on_text(pbx::kPrimary, text, now_);
    for (const pbx::Effect& effect : effects) {
      if (const auto* it = std::get_if<pbx::Observe>(&effect)) observe(*it);
    }
    const double used = cpu_us() - start;
    for (const pbx::Effect& effect : effects) {
      if (!std::holds_alternative<pbx::Observe>(effect)) carry_out({effect});
    }
    return used;
  }

  bool ready() const { return ready_; }
  std::size_t calls() const { return tracker_.book().calls.size(); }
  std::uint64_t events() const { return events_; }

 private:
  void observe(const pbx::Observe& it) {
    call::Context context;
    context.now = call::Time(now_.time_since_epoch());
    events_ += tracker_.apply(it.seen, context).size();
  }

  void carry_out(const pbx::Effects& effects) {
    for (const pbx::Effect& effect : effects) {
      std::visit(base::overloaded{
                     [&](const pbx::OpenLink&) { open_ = true; },
                     [&](const pbx::Observe& it) { observe(it); },
                     [&](const pbx::Ready&) { ready_ = true; },
                     [&](const pbx::GiveUp& it) { throw std::runtime_error(it.detail); },
                     [&](const pbx::SendHttp& it) {
                       carry_out(session_->on_http(it.id, answer_to(it), "", now_));
                     },
                     [](const auto&) {},
                 },
                 effect);
    }
  }

  static pbx::HttpReply answer_to(const pbx::SendHttp& it) {
    const auto has = [](const std::string& text, const char* what) {
      return text.find(what) != std::string::npos;
    };
    pbx::HttpReply reply{200, {{"server", "PBX/70.1"}}, "true"};
    if (has(it.where.target, "/accounts")) {
      static const std::string accounts = accounts_json();
      reply.body = accounts;
    } else if (has(it.where.target, "/users")) {
      reply.body = "[]";
    } else if (has(it.body, R"("3rd")")) {
      reply.body = R"("abcdefghij")";
    } else if (has(it.body, R"("session")")) {
      reply.headers.emplace_back("set-cookie", "session=cookie; Path=/");
    }
    return reply;
  }

  std::unique_ptr<pbx::Session> session_;
  call::Tracker tracker_;
  pbx::TimePoint now_{1h};
  std::uint64_t events_ = 0;
  bool open_ = false, ready_ = false;
};

// The naive way: parses every entry of every list, and compares each call with the one of that id
// in the list before. It makes no model and no events: just what has changed.
class Naive {
 public:
  // How many calls are new, other or gone.
  std::size_t hear(const std::string& text) {
    std::size_t changes = 0;
    ++round_;
    auto object = parser_.parse(text);
    if (!object) throw std::runtime_error("the list cannot be read");
    simdjson::ondemand::array calls;
    if ((*object)["calls"].get_array().get(calls)) throw std::runtime_error("no calls");
    for (auto item : calls) {
      simdjson::ondemand::object fields;
      if (item.get_object().get(fields)) throw std::runtime_error("no call");
      Call call;
      std::string id;
      pbx::for_each_field(fields, [&](std::string_view key, simdjson::ondemand::value& value) {
        if (key == "extension") {
          simdjson::ondemand::array numbers;
          if (value.get_array().get(numbers)) return;
          for (auto number : numbers) {
            std::string_view it;
            if (!number.get_string().get(it)) call.extensions.emplace_back(it);
          }
          return;
        }
        const auto it = pbx::text_of(value);
        if (!it) return;
        if (key == "id") id = *it;
        if (key == "from") call.from = *it;
        if (key == "to") call.to = *it;
        if (key == "state") call.state = *it;
        if (key == "start") call.start = *it;
        if (key == "connect") call.connect = *it;
        if (key == "cmc") call.matter = *it;
      });
      Known& known = calls_[id];
      if (known.call != call) {
        ++changes;
        known.call = std::move(call);
      }
      known.round = round_;
    }
    return changes +
           std::erase_if(calls_, [&](const auto& it) { return it.second.round != round_; });
  }

 private:
  struct Call {
    std::string from, to, state, start, connect, matter;
    std::vector<std::string> extensions;

    bool operator==(const Call&) const = default;
  };
  struct Known {
    Call call;
    std::uint64_t round = 0;
  };

  pbx::JsonParser parser_;
  std::unordered_map<std::string, Known> calls_;
  std::uint64_t round_ = 0;
};

pbx::vodia::CallList calls_of(const base::Result<pbx::vodia::Frame>& frame) {
  return std::get<pbx::vodia::CallState>(*frame).calls;
}

// A line about lists of that many calls.
std::string measure(int count, int lists) {
  Traffic traffic(count);
  Gateway gateway(*pbx::find_vendor("vodia"));
  Naive naive;
  pbx::vodia::Directory directory([](const std::string&) { return true; });
  pbx::vodia::Calls calls({true, 1s}, directory);

  // The first list is news from end to end, and nobody's measure.
  const std::string first = traffic.list();
  gateway.hear(first);
  naive.hear(first);
  calls.on_list(pbx::vodia::Calls::Source::call_state, calls_of(pbx::vodia::parse(first)), {});
  if (!gateway.ready() || gateway.calls() != static_cast<std::size_t>(count)) {
    throw std::runtime_error("not all calls were seen");
  }

  double session_us = 0, reading_us = 0, naive_us = 0;
  std::size_t bytes = 0, parsed = 0, changes = 0;
  const std::uint64_t events_before = gateway.events();
  for (int i = 0; i < lists; ++i) {
    traffic.step();
    const std::string text = traffic.list();
    bytes += text.size();
    session_us += gateway.hear(text);

    double start = cpu_us();
    changes += naive.hear(text);
    naive_us += cpu_us() - start;

    start = cpu_us();
    const auto frame = pbx::vodia::parse(text);
    reading_us += cpu_us() - start;
    parsed += calls.on_list(pbx::vodia::Calls::Source::call_state, calls_of(frame), {}).parsed;
  }
  const auto per_list = [&](auto sum) { return static_cast<double>(sum) / lists; };
  char line[300];
  std::snprintf(line, sizeof line,
                R"({"calls":%d,"kib":%.1f,"session_us":%.1f,"reading_us":%.1f,"naive_us":%.1f,)"
                R"("parsed":%.2f,"changes":%.2f,"events":%.2f})",
                count, per_list(bytes) / 1024, per_list(session_us), per_list(reading_us),
                per_list(naive_us), per_list(parsed), per_list(changes),
                per_list(gateway.events() - events_before));
  return line;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("CPU per list of a Vodia tenant's calls, by their number.");
  int lists = 2'000;
  std::vector<int> counts{100, 500, 1'000, 2'000};
  app.add_option("--lists", lists, "How many for each number")->check(CLI::PositiveNumber);
  app.add_option("--calls", counts, "How many calls are in a list")
      ->check(CLI::Range(1, kAccounts));
  CLI11_PARSE(app, argc, argv);
  try {
    std::string out;
    for (const int count : counts) out += (out.empty() ? "" : ",") + measure(count, lists);
    std::cout << '[' << out << "]\n";
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "bench_vodia_lists: " << error.what() << '\n';
    return 1;
  }
}
