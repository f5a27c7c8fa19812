#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <nats/nats.h>

#include "bus/connection.h"
#include "bus/requests.h"
#include "google/rpc/error_details.pb.h"
#include "pbxgw/v1/command.pb.h"

namespace connector {

// Asks the owner of the tenant acme as control does, but keeps all replies to each request, however
// many there are. On its connection's executor.
class Asker {
 public:
  using OwnerReply = pbxgw::v1::OwnerReply;
  using OwnerRequest = pbxgw::v1::OwnerRequest;

  explicit Asker(std::shared_ptr<bus::Connection> connection) : connection_(std::move(connection)) {
    auto take = [this](bus::Request reply) {
      const std::string which(reply.subject().substr(sizeof("answers.") - 1));
      if (which == "flush") {
        flushed_ = true;
        return;
      }
      OwnerReply parsed;
      EXPECT_TRUE(parsed.ParseFromString(std::string(reply.payload())));
      replies_[static_cast<unsigned>(std::stoul(which))].push_back(std::move(parsed));
    };
    auto served = bus::serve(connection_, "answers.*", connection_->executor(), std::move(take),
                             {.messages_max = 65'536, .bytes_max = 64u << 20});
    EXPECT_TRUE(served);
    answers_ = std::move(*served);
  }

  // The request's number, from 1.
  unsigned send(const std::string& bytes) {
    const auto reply_to = "answers." + std::to_string(++asked_);
    EXPECT_EQ(natsConnection_PublishRequest(connection_->handle(), "pbx.v1.commands.acme",
                                            reply_to.c_str(), bytes.data(),
                                            static_cast<int>(bytes.size())),
              NATS_OK);
    return asked_;
  }
  unsigned send(const OwnerRequest& request) { return send(request.SerializeAsString()); }
  unsigned asked() const { return asked_; }
  const std::vector<OwnerReply>& replies(unsigned request) { return replies_[request]; }

  // Has flushed() true once all that `through` sent before is here. On its executor.
  static void flush(const bus::Connection& through) {
    natsConnection_Publish(through.handle(), "answers.flush", nullptr, 0);
  }
  void expect_flush() { flushed_ = false; }
  bool flushed() const { return flushed_; }

 private:
  std::shared_ptr<bus::Connection> connection_;
  unsigned asked_ = 0;
  std::map<unsigned, std::vector<OwnerReply>> replies_;
  bool flushed_ = false;
  bus::Subscription answers_;
};

inline google::rpc::ErrorInfo info_of(const pbxgw::v1::OwnerReply& reply) {
  google::rpc::ErrorInfo info;
  for (const auto& detail : reply.error().details()) {
    if (detail.UnpackTo(&info)) break;
  }
  return info;
}
inline std::string reason_of(const pbxgw::v1::OwnerReply& reply) { return info_of(reply).reason(); }

inline pbxgw::v1::OwnerRequest request_to_acme() {
  pbxgw::v1::OwnerRequest request;
  request.set_tenant("tenants/acme");
  return request;
}
inline pbxgw::v1::OwnerRequest command_to_acme(pbxgw::v1::Service service,
                                               const std::string& request_id = {}) {
  auto request = request_to_acme();
  request.set_request_id(request_id);
  request.mutable_command()->set_service(service);
  return request;
}
inline pbxgw::v1::OwnerRequest make_call(const std::string& request_id = {},
                                         const std::string& destination = "203") {
  auto request = command_to_acme(pbxgw::v1::SERVICE_MAKE_CALL, request_id);
  request.mutable_command()->set_device_id("201");
  request.mutable_command()->set_destination(destination);
  return request;
}

}  // namespace connector
