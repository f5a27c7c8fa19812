#include "connector/capability_reference.h"

#include <vector>

#include "call/service.h"

namespace connector {
namespace {

const char* words_for(call::Confirmation confirmation) {
  switch (confirmation) {
    case call::Confirmation::none: return "no";
    case call::Confirmation::acknowledged: return "yes, confirmed by the PBX";
    case call::Confirmation::observed: return "yes, seen by its event";
  }
  return "no";
}

// A mark shows that there is something to know. Why not is told of every "no".
std::string cell_of(const call::Capability& row) {
  const bool has_note = row.confirmation != call::Confirmation::none && *row.note != '\0';
  return words_for(row.confirmation) + std::string(has_note ? " *" : "");
}

std::string cells_of(std::span<const pbx::Vendor> vendors, std::size_t service) {
  std::string cells;
  for (const pbx::Vendor& vendor : vendors) cells += cell_of(vendor.capabilities[service]) + " | ";
  return cells;
}

}  // namespace

std::string capability_table(std::span<const pbx::Vendor> vendors) {
  std::string head = "| |", line = "| --- |";
  for (const pbx::Vendor& vendor : vendors) {
    head += ' ' + std::string(vendor.title) + " |";
    line += " --- |";
  }
  std::string table = head + '\n' + line + '\n';
  for (std::size_t service = 0; service < call::kServiceCount;) {
    const std::string cells = cells_of(vendors, service);
    std::string names;
    do {
      names += names.empty() ? "" : ", ";
      names += call::name_of(static_cast<call::Service>(service));
      ++service;
    } while (service < call::kServiceCount && cells_of(vendors, service) == cells);
    table += "| " + names + " | " + cells;
    table.back() = '\n';
  }
  return table;
}

std::string capability_reference(std::span<const pbx::Vendor> vendors) {
  std::string text;
  for (const pbx::Vendor& vendor : vendors) {
    text += "\n## " + std::string(vendor.title) + "\n\n| | | |\n| --- | --- | --- |\n";
    for (const call::Capability& row : vendor.capabilities) {
      text += "| " + std::string(call::name_of(row.service)) + " | " + words_for(row.confirmation) +
              " | " + row.note + " |\n";
    }
  }
  return text;
}

}  // namespace connector
