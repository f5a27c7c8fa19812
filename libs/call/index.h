#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "call/model.h"

// Where everything is, so that an observation costs the same whether a tenant has ten calls or ten
// thousand. Part of the tracker.
namespace call {

// A live call, with what only the tracker needs to know of it.
struct Entry {
  Call* call = nullptr;          // in the book
  std::uint64_t seen = 0;        // the round in which the PBX last showed it
  std::vector<unsigned> talked;  // its connections that have been connected
  bool ended_talked = false;     // one that has ended had been connected
};

// Where a leg is.
struct Place {
  Entry* entry = nullptr;
  unsigned number = 0;  // of the connection
};

// What is at an extension: the device, if the directory has it, and its connections.
struct Desk {
  const Device* device = nullptr;  // in the book
  std::uint64_t seen = 0;          // the round in which the PBX last showed the device
  std::vector<Place> places;
};

// Entries stay where they are until their call is closed.
class Index {
 public:
  // `call` and all its connections.
  Entry& open(Call& call);
  void close(Entry& entry);

  void add(Entry& entry, const Connection& connection);
  void remove(Entry& entry, const Connection& connection);
  // The call has this key from now on; nobody else has it.
  void set_key(Entry& entry, const std::string& key);

  Entry* by_key(const std::string& key) const;
  Place by_leg(const std::string& leg) const;
  Entry* by_id(const CallId& call);

  // nullptr if nothing is there.
  const Desk* desk(const DeviceId& device) const;
  // Of an extension's connection; nullptr for any other's.
  const Desk* desk(const Connection& connection) const;
  Desk& seat(const Device& device);
  void unseat(const DeviceId& device);

 private:
  std::unordered_map<CallId, Entry> entries_;
  std::unordered_map<std::string, Entry*> keys_;
  std::unordered_map<std::string, Place> legs_;
  std::unordered_map<DeviceId, Desk> desks_;
};

}  // namespace call
