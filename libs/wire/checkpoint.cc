#include "wire/checkpoint.h"

#include "pbxgw/v1/command.pb.h"
#include "wire/events.h"

namespace wire {
namespace {

using base::Errc;
namespace v1 = pbxgw::v1;

// What the header of a part takes at most: six numbers of at most ten bytes each, and their tags.
constexpr std::size_t kHeaderMax = 64;

// FNV-1a, over all entries one after another.
class Hash {
 public:
  void add(const google::protobuf::MessageLite& entry) {
    bytes_.clear();
    entry.AppendToString(&bytes_);
    for (char c : bytes_) value_ = (value_ ^ static_cast<std::uint8_t>(c)) * 0x100000001b3;
  }
  std::uint64_t value() const { return value_; }

 private:
  std::string bytes_;
  std::uint64_t value_ = 0xcbf29ce484222325;
};

// Fills parts, one after another.
class Packer {
 public:
  explicit Packer(std::size_t part_bytes_max) : part_bytes_max_(part_bytes_max) {}

  void add(v1::Call call) { part_for(call).add_calls()->Swap(&call); }
  void add(v1::Device device) { part_for(device).add_devices()->Swap(&device); }

  std::vector<std::string> finish(const Checkpoint& checkpoint) {
    std::vector<std::string> out;
    out.reserve(parts_.size());
    for (auto& part : parts_) {
      part.set_epoch(checkpoint.book.epoch);
      part.set_sequence(checkpoint.book.sequence);
      part.set_calls_made(checkpoint.book.calls_made);
      part.set_stream_sequence(checkpoint.stream_sequence);
      part.set_parts(static_cast<std::uint32_t>(parts_.size()));
      part.set_hash(hash_.value());
      out.push_back(part.SerializeAsString());
    }
    return out;
  }

 private:
  v1::Checkpoint& part_for(const google::protobuf::MessageLite& entry) {
    constexpr std::size_t kEntryOverhead = 6;  // a tag and a length
    const auto size = entry.ByteSizeLong() + kEntryOverhead;
    if (filled_ > kHeaderMax && filled_ + size > part_bytes_max_) {
      parts_.emplace_back();
      filled_ = kHeaderMax;
    }
    filled_ += size;
    hash_.add(entry);
    return parts_.back();
  }

  std::size_t part_bytes_max_;
  std::vector<v1::Checkpoint> parts_{1};
  std::size_t filled_ = kHeaderMax;  // of the last part
  Hash hash_;
};

bool same_checkpoint(const v1::Checkpoint& a, const v1::Checkpoint& b) {
  return a.epoch() == b.epoch() && a.sequence() == b.sequence() &&
         a.stream_sequence() == b.stream_sequence() && a.parts() == b.parts() &&
         a.hash() == b.hash();
}

// Adds what is in `part`; false if it is malformed, or there already.
bool take(const v1::Checkpoint& part, call::Book& book) {
  for (const auto& each : part.calls()) {
    auto call = from_proto(each);
    if (!call) return false;
    auto id = call->id;
    if (!book.calls.emplace(std::move(id), std::move(*call)).second) return false;
  }
  for (const auto& each : part.devices()) {
    auto device = from_proto(each);
    if (!device) return false;
    auto id = device->id;
    if (!book.devices.emplace(std::move(id), std::move(*device)).second) return false;
  }
  return true;
}

base::Result<v1::Checkpoint> parse(std::string_view bytes) {
  v1::Checkpoint part;
  if (!part.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return Errc::bad_frame;
  if (part.parts() < 1 || part.parts() > kCheckpointPartsMax) return Errc::bad_frame;
  return part;
}

}  // namespace

std::vector<std::string> encode(const base::TenantId& tenant, const Checkpoint& checkpoint,
                                std::size_t part_bytes_max) {
  Packer packer(part_bytes_max);
  for (const auto& [id, call] : checkpoint.book.calls) packer.add(to_proto(tenant, call));
  for (const auto& [id, device] : checkpoint.book.devices) packer.add(to_proto(tenant, device));
  return packer.finish(checkpoint);
}

base::Result<unsigned> parts_of(std::string_view first) {
  const auto part = parse(first);
  if (!part) return part.error();
  return part->parts();
}

base::Result<Checkpoint> decode(const std::vector<std::string>& parts) {
  if (parts.empty()) return Errc::bad_frame;
  const auto first = parse(parts.front());
  if (!first || first->parts() != parts.size()) return Errc::bad_frame;
  Checkpoint out;
  out.book.epoch = first->epoch();
  out.book.sequence = first->sequence();
  out.book.calls_made = first->calls_made();
  out.stream_sequence = first->stream_sequence();
  for (const auto& bytes : parts) {
    const auto part = parse(bytes);
    if (!part || !same_checkpoint(*part, *first) || !take(*part, out.book)) return Errc::bad_frame;
  }
  return out;
}

}  // namespace wire
