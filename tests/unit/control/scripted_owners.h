#pragma once

#include <chrono>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_future.hpp>

#include "bus/jetstream.h"
#include "bus/kv.h"
#include "bus/requests.h"
#include "call/event.h"
#include "pbxgw/v1/command.pb.h"
#include "support/nats_server.h"

namespace control {

// The connectors' side of everything that control speaks with, on a real NATS: records and leases
// in their buckets, commands and queries answered, events in the stream. A thread of its own, on
// which all of a tenant's script runs; the functions here are for the test's thread, and return
// when NATS has it.
class ScriptedOwners {
 public:
  struct Tenant {
    std::uint64_t epoch = 1, sequence = 0;
    std::map<std::string, pbxgw::v1::Call> calls;      // by id
    std::map<std::string, pbxgw::v1::Device> devices;  // by id
    int page_max = 1'000;
    bool silent = false;  // hears everything and answers nothing, before answer_late()
    std::vector<bus::Request> unanswered;
    std::function<pbxgw::v1::OwnerReply(const pbxgw::v1::OwnerRequest&)> on_command;
    // About media clients' streams; answered by whoever has the request.
    std::function<void(const pbxgw::v1::SignalCommand&, bus::Request)> on_signal;
    std::function<void(Tenant&)> before_query;  // the first one; then it is forgotten
    std::vector<pbxgw::v1::OwnerRequest> heard;
    bus::Subscription serving;
    std::uint64_t lease_revision = 0;
  };

  explicit ScriptedOwners(const std::string& nats_url, std::int64_t events_per_subject = -1);
  ~ScriptedOwners();

  void make_stream();
  void delete_stream();
  // With record, lease and service, or without the latter two.
  void add(const std::string& tenant, bool owned = true);
  void own(const std::string& tenant);
  void disown(const std::string& tenant);
  // What was heard while it was silent.
  void answer_late(const std::string& tenant);
  // Changes or reads the script on its thread.
  template <class Do>
  auto with(const std::string& tenant, Do act) {
    return on_thread([this, tenant, act = std::move(act)] { return act(tenants_[tenant]); });
  }

  // Stores an event of the tenant with the next sequence, and returns that.
  std::uint64_t publish(const std::string& tenant, call::Event event);
  // The same for many, faster; they get the next sequences.
  void publish(const std::string& tenant, const std::vector<call::Event>& events);
  // As it is, whoever's it may be.
  void publish_as_is(const std::string& tenant, const call::Event& event);

 private:
  template <class Do>
  auto on_thread(Do act) {
    std::promise<std::invoke_result_t<Do&>> done;
    auto result = done.get_future();
    boost::asio::post(io_, [&] {
      if constexpr (std::is_void_v<std::invoke_result_t<Do&>>) {
        act();
        done.set_value();
      } else {
        done.set_value(act());
      }
    });
    return result.get();
  }
  template <class T>
  T await(boost::asio::awaitable<T> task) {
    return boost::asio::co_spawn(io_, std::move(task), boost::asio::use_future).get();
  }
  void answer(const std::string& tenant, bus::Request request);

  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{
      io_.get_executor()};
  std::shared_ptr<bus::Connection> connection_;
  std::shared_ptr<bus::Requests> requests_;
  std::unique_ptr<bus::JetStream> jetstream_;
  std::unique_ptr<bus::KvBucket> tenant_bucket_, lease_bucket_;
  const std::int64_t events_per_subject_;
  std::map<std::string, Tenant> tenants_;
  std::thread thread_;
};

// ---- What scripts are made of ----

pbxgw::v1::Call a_call(const std::string& tenant, const std::string& id,
                       const std::vector<std::string>& devices = {"201"});
pbxgw::v1::Device a_device(const std::string& tenant, const std::string& id);
call::Event call_event(const std::string& call, const std::string& device,
                       call::CallEventType type = call::CallEventType::established);
call::Event device_event(const std::string& device, const std::string& name = {});
call::Event link_event(call::LinkState state);

}  // namespace control
