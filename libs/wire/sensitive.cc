#include "wire/sensitive.h"

#include <vector>

#include <google/protobuf/descriptor.h>

#include "pbxgw/options/v1/options.pb.h"

namespace wire {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

void clear_sensitive(Message& message) {
  const Reflection& reflection = *message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    if (field->options().GetExtension(pbxgw::options::v1::sensitive)) {
      reflection.ClearField(&message, field);
    } else if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) {
      continue;
    } else if (field->is_repeated()) {
      for (int i = 0; i < reflection.FieldSize(message, field); ++i) {
        clear_sensitive(*reflection.MutableRepeatedMessage(&message, field, i));
      }
    } else {
      clear_sensitive(*reflection.MutableMessage(&message, field));
    }
  }
}

}  // namespace wire
