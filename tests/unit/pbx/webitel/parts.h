#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gmock/gmock.h>

#include "base/overloaded.h"
#include "pbx/webitel/directory.h"
#include "pbx/webitel/legs.h"
#include "pbx/webitel/rest.h"
#include "pbx/webitel/socket.h"

namespace pbx::webitel {

using namespace std::chrono_literals;

inline constexpr const char* kToken = "s3rv1cet0kens3rv1cet0ken00";

// What a session's parts work with, as a session has it, and the PBX's words; the session itself is
// left out. Users 10, 11 and 12 have the extensions 101, 102 and 103, and 10 is agent 5.
struct Parts : testing::Test {
  Parts() : legs(directory) {
    directory.on_users(
        {{"10", "Ann", "101", "sip"}, {"11", "Bob", "102", "sip"}, {"12", "Cid", "103", ""}}, now);
    agents("offline", "");
  }
  ~Parts() override {
    for (const std::string& text : told) expect_no_secret(text);
  }

  static void expect_no_secret(const std::string& text) {
    for (const char* secret : {kToken, "pa55word"}) {
      EXPECT_THAT(text, testing::Not(testing::HasSubstr(secret)));
    }
  }

  void agents(std::string status, std::string payload, std::string call_state = "waiting") {
    directory.on_agents(
        {{"5", "10", "1", std::move(status), std::move(payload), std::move(call_state)}}, now);
  }
  void presence(std::string status) {
    directory.on_users({{"10", "Ann", "101", std::move(status)},
                        {"11", "Bob", "102", "sip"},
                        {"12", "Cid", "103", ""}},
                       now);
  }

  // "POST /calls {…}", without the host and what is the same for all.
  static std::string line_of(const SendHttp& it) {
    std::string target = it.where.target;
    if (target.starts_with("/api")) target.erase(0, 4);
    return it.method + ' ' + target + (it.body.empty() ? "" : ' ' + it.body);
  }

  // Takes what is common to all parts out of their effects.
  void keep(const Effects& effects) {
    for (const Effect& effect : effects) {
      std::visit(base::overloaded{
                     [&](const SendText& it) { texts.push_back(it.text); },
                     [&](const SendHttp& it) { requests.push_back(it); },
                     [&](const Answer& it) { answers[it.id].push_back(it.reply); },
                     [&](const Inform& it) { informed[it.id].push_back(it.answer); },
                     [&](const Fulfil& it) { fulfilled[it.id].push_back(it.reply); },
                     [&](const Note& it) { told.push_back(it.detail); },
                     [](const auto&) { ADD_FAILURE() << "not a part's business"; },
                 },
                 effect);
    }
  }

  SendHttp take_request() {
    if (requests.empty()) {
      ADD_FAILURE() << "nothing was asked over HTTP";
      return {};
    }
    SendHttp request = requests.front();
    requests.erase(requests.begin());
    return request;
  }
  std::vector<std::string> take_texts() { return std::exchange(texts, {}); }

  // "ok", or the refusal's error and sentence.
  template <class Reply>
  std::string words_of(const std::vector<Reply>& replies) {
    if (replies.empty()) return "open";
    if (replies.size() > 1) return "answered twice";
    if (const auto* refusal = std::get_if<call::Refusal>(&replies.front())) {
      told.push_back(refusal->detail);
      return base::name_of(refusal->why) + (refusal->detail.empty() ? "" : ": " + refusal->detail);
    }
    return "ok";
  }

  Directory directory;
  Legs legs;
  Rest rest{{"pbx.test", "443", "/api", true, {}}, kToken, 10s};
  Socket socket;
  TimePoint now{std::chrono::hours(1)};

  std::vector<std::string> texts;
  std::vector<SendHttp> requests;  // not taken by the test yet
  std::map<call::CommandId, std::vector<call::Reply>> answers;
  std::map<call::InquiryId, std::vector<Inform::Answer>> informed;
  std::map<call::OrderId, std::vector<call::OrderReply>> fulfilled;
  std::vector<std::string> told;  // to people: nothing secret
};

}  // namespace pbx::webitel
