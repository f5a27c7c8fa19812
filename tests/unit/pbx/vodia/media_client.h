#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pbx/vodia/tenant.h"
#include "support/signal_words.h"

namespace pbx::vodia {

// A media client of the extension 502 at the tenant of tenant.h, on stream 1 and link 1, and what
// it hears, in words.
struct MediaClient : Vodia {
  static constexpr call::SignalId kStream = 1;
  static constexpr LinkId kLink = 1;
  static constexpr const char* kOffer = "v=0 client's";

  static call::SignalOptions options(std::string_view device = "502", bool receives_calls = false) {
    return {call::DeviceId(std::string(device)), receives_calls, "phone 1.0"};
  }
  void open_stream(bool receives_calls = false) {
    pbx().open_signal(kStream, options("502", receives_calls));
    grant_token();
    pbx().open(kLink);
  }
  // With a stream that is ready, and nothing left of how it came to be.
  void begin_modern(bool receives_calls = false) {
    log_in_modern();
    open_stream(receives_calls);
    if (receives_calls) hear("{'action':'sip-register','add':'sip:502@t.example','expires':3600}");
    EXPECT_THAT(told(), testing::ElementsAre("ready"));
    said();
  }
  void begin_legacy(bool receives_calls = false) {
    log_in_legacy();
    open_stream(receives_calls);
    EXPECT_THAT(told(), testing::ElementsAre("ready"));
    said();
  }
  void begin_2016(bool receives_calls = false) {
    settings.set("path", std::string("/"));
    begin_legacy(receives_calls);
  }

  // Quotes are ' in tests.
  static std::string json(std::string_view text) {
    std::string out(text);
    std::replace(out.begin(), out.end(), '\'', '"');
    return out;
  }
  void hear(std::string_view text, LinkId link = kLink) { pbx().hear(json(text), link); }
  void say(const call::FromClient& message, call::SignalId stream = kStream) {
    pbx().signal(stream, message);
  }
  // What the PBX was sent since the last time, and the client was told.
  std::vector<std::string> said(LinkId link = kLink) {
    auto texts = pbx().take_sent(link);
    for (std::string& text : texts) std::replace(text.begin(), text.end(), '"', '\'');
    return texts;
  }
  std::vector<std::string> told(call::SignalId stream = kStream) {
    std::vector<std::string> words;
    for (const auto& message : std::exchange(pbx().signals[stream], {})) {
      words.push_back(support::words_of(message));
    }
    return words;
  }
  // "timed_out", and clears it; empty if no stream has ended by itself.
  std::string ended() {
    std::string words;
    for (const EndSignal& it : std::exchange(pbx().ended_signals, {})) {
      words += (words.empty() ? "" : ", ") + std::string(base::name_of(it.why));
      EXPECT_THAT(it.detail, testing::Not(testing::IsEmpty()));
      expect_no_secret(it.detail);
    }
    return words;
  }

  void start_call(std::string id = "mine", std::string to = "503") {
    say(call::StartCall{std::move(id), std::move(to), kOffer});
  }
  // The client's call `mine` to 503: rings, with the PBX's offer, under the PBX's id.
  void be_offered() {
    start_call();
    hear("{'sdp':'v=0 pbx','code':183,'callid':'theirs','cseq':7,'to-user':'503'}");
    told();
    said();
  }
  void talk_as_caller() {
    be_offered();
    say(call::AnswerOffer{"mine", "v=0 answer"});
    hear("{'sdp':'v=0 pbx','code':200,'callid':'theirs','cseq':8}");
    told();
    said();
  }
  void be_called(std::string_view id = "in1") {
    hear("{'invitesdp':'v=0 pbx','callid':'" + std::string(id) +
         "','cseq':1,'from':'<sip:501@t.example>','to':'<sip:502@t.example>'}");
    told();
    said();
  }
  void talk_as_called() {
    be_called();
    say(call::AnswerOffer{"in1", "v=0 answer"});
    told();
    said();
  }
};

}  // namespace pbx::vodia
