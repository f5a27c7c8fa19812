#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "pbx/session.h"

namespace connector {

// A session whose answers a test gives. What is not given does nothing; on_start opens the primary
// link.
class FakeSession final : public pbx::Session {
 public:
  struct Script {
    std::string port;
    std::function<pbx::Effects()> on_start;  // instead of opening the primary link
    std::function<pbx::Effects(pbx::LinkId)> on_open;
    std::function<pbx::Effects(pbx::LinkId, const pbx::Arrival&)> on_arrived;
    std::function<pbx::Effects(pbx::LinkId, std::string_view)> on_text;
    std::function<pbx::Effects(pbx::LinkId, const base::Error&)> on_closed;
    std::function<pbx::Effects(pbx::HttpId, const base::Result<pbx::HttpReply>&,
                               const std::string& detail)>
        on_http;
    std::function<pbx::Effects(call::CommandId)> on_command;
    std::function<pbx::Effects(call::InquiryId, const call::Inquiry&)> on_inquiry;
    std::function<pbx::Effects(call::OrderId, const call::Order&)> on_order;
    std::function<pbx::Effects()> on_tick;
    std::function<pbx::Effects(call::SignalId, const call::SignalOptions&)> on_signal_open;
    std::function<pbx::Effects(call::SignalId, const call::FromClient&)> on_signal;
    std::function<pbx::Effects(call::SignalId)> on_signal_close;
    pbx::TimePoint deadline = pbx::TimePoint::max();
  };
  explicit FakeSession(Script& script) : script_(script) {}

  pbx::Effects on_start(pbx::TimePoint now) override;
  pbx::Effects on_link_open(pbx::LinkId link, pbx::TimePoint now) override;
  pbx::Effects on_text(pbx::LinkId link, std::string_view text, pbx::TimePoint now) override;
  pbx::Effects on_link_arrived(pbx::LinkId link, const pbx::Arrival& arrival,
                               pbx::TimePoint now) override;
  pbx::Effects on_link_closed(pbx::LinkId link, const base::Error& why, const std::string& detail,
                              pbx::TimePoint now) override;
  pbx::Effects on_http(pbx::HttpId id, const base::Result<pbx::HttpReply>& reply,
                       const std::string& detail, pbx::TimePoint now) override;
  pbx::Effects on_command(call::CommandId id, const call::Command& command, pbx::TimePoint limit,
                          pbx::TimePoint now) override;
  pbx::Effects on_inquiry(call::InquiryId id, const call::Inquiry& inquiry, pbx::TimePoint limit,
                          pbx::TimePoint now) override;
  pbx::Effects on_order(call::OrderId id, const call::Order& order, pbx::TimePoint limit,
                        pbx::TimePoint now) override;
  pbx::Effects on_tick(pbx::TimePoint now) override;
  pbx::Effects on_signal_open(call::SignalId id, const call::SignalOptions& options,
                              pbx::TimePoint now) override;
  pbx::Effects on_signal(call::SignalId id, const call::FromClient& message,
                         pbx::TimePoint now) override;
  pbx::Effects on_signal_close(call::SignalId id, pbx::TimePoint now) override;
  pbx::TimePoint deadline() const override { return script_.deadline; }

 private:
  Script& script_;
};

// Opens `link` at the fake PBX.
pbx::OpenLink open_link(pbx::LinkId link, const std::string& port);
// Asks it for `target`.
pbx::SendHttp get(pbx::HttpId id, const std::string& port, const std::string& target);

}  // namespace connector
