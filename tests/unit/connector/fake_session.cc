#include "unit/connector/fake_session.h"

namespace connector {

pbx::OpenLink open_link(pbx::LinkId link, const std::string& port) {
  return {link, pbx::Handshake{"127.0.0.1", port, "/ws", false, {}}};
}

pbx::SendHttp get(pbx::HttpId id, const std::string& port, const std::string& target) {
  pbx::Handshake where{"127.0.0.1", port, target, false, {{"X-Test", "yes"}}};
  return {id, "GET", std::move(where), "", std::chrono::seconds(5)};
}

pbx::Effects FakeSession::on_start(pbx::TimePoint) {
  if (script_.on_start) return script_.on_start();
  return {open_link(pbx::kPrimary, script_.port)};
}

pbx::Effects FakeSession::on_link_open(pbx::LinkId link, pbx::TimePoint) {
  return script_.on_open ? script_.on_open(link) : pbx::Effects{};
}

pbx::Effects FakeSession::on_text(pbx::LinkId link, std::string_view text, pbx::TimePoint) {
  return script_.on_text ? script_.on_text(link, text) : pbx::Effects{};
}

pbx::Effects FakeSession::on_link_arrived(pbx::LinkId link, const pbx::Arrival& arrival,
                                          pbx::TimePoint now) {
  if (script_.on_arrived) return script_.on_arrived(link, arrival);
  return pbx::Session::on_link_arrived(link, arrival, now);
}

pbx::Effects FakeSession::on_link_closed(pbx::LinkId link, const base::Error& why,
                                         const std::string&, pbx::TimePoint) {
  return script_.on_closed ? script_.on_closed(link, why) : pbx::Effects{};
}

pbx::Effects FakeSession::on_http(pbx::HttpId id, const base::Result<pbx::HttpReply>& reply,
                                  const std::string& detail, pbx::TimePoint) {
  return script_.on_http ? script_.on_http(id, reply, detail) : pbx::Effects{};
}

pbx::Effects FakeSession::on_command(call::CommandId id, const call::Command&, pbx::TimePoint,
                                     pbx::TimePoint) {
  return script_.on_command ? script_.on_command(id) : pbx::Effects{};
}

pbx::Effects FakeSession::on_signal_open(call::SignalId id, const call::SignalOptions& options,
                                         pbx::TimePoint now) {
  if (script_.on_signal_open) return script_.on_signal_open(id, options);
  return pbx::Session::on_signal_open(id, options, now);
}

pbx::Effects FakeSession::on_signal(call::SignalId id, const call::FromClient& message,
                                    pbx::TimePoint) {
  return script_.on_signal ? script_.on_signal(id, message) : pbx::Effects{};
}

pbx::Effects FakeSession::on_signal_close(call::SignalId id, pbx::TimePoint) {
  return script_.on_signal_close ? script_.on_signal_close(id) : pbx::Effects{};
}

pbx::Effects FakeSession::on_inquiry(call::InquiryId id, const call::Inquiry& inquiry,
                                     pbx::TimePoint, pbx::TimePoint) {
  return script_.on_inquiry ? script_.on_inquiry(id, inquiry) : pbx::Effects{};
}

pbx::Effects FakeSession::on_order(call::OrderId id, const call::Order& order, pbx::TimePoint,
                                   pbx::TimePoint) {
  return script_.on_order ? script_.on_order(id, order) : pbx::Effects{};
}

pbx::Effects FakeSession::on_tick(pbx::TimePoint) {
  script_.deadline = pbx::TimePoint::max();
  return script_.on_tick ? script_.on_tick() : pbx::Effects{};
}

}  // namespace connector
