#include "pbxctl/table.h"

#include <algorithm>

#include "pbxctl/words.h"

namespace pbxctl {
namespace {

const char* code_of(Color color) {
  switch (color) {
    case Color::none: return "";
    case Color::bold: return "\x1b[1m";
    case Color::dim: return "\x1b[2m";
    case Color::red: return "\x1b[31m";
    case Color::green: return "\x1b[32m";
    case Color::yellow: return "\x1b[33m";
    case Color::blue: return "\x1b[34m";
    case Color::magenta: return "\x1b[35m";
    case Color::cyan: return "\x1b[36m";
  }
  return "";
}

}  // namespace

std::string Style::operator()(Color color, std::string_view text) const {
  if (!colored_ || color == Color::none || text.empty()) return std::string(text);
  return code_of(color) + std::string(text) + "\x1b[0m";
}

std::string row(const std::vector<Cell>& cells, const std::vector<std::size_t>& widths,
                const Style& style) {
  std::string out;
  std::size_t blanks = 0;  // owed before the next text
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const auto& [text, color] = cells[i];
    const std::size_t width = width_of(text);
    const std::size_t column = i < widths.size() ? widths[i] : width;
    if (text.empty()) {
      // A column that takes no room needs no blanks around it either.
      if (column > 0) blanks += column + 2;
      continue;
    }
    out.append(blanks, ' ').append(style(color, text));
    blanks = 2 + (column > width ? column - width : 0);
  }
  return out;
}

Table::Table(std::vector<std::string> headers) {
  std::vector<Cell> cells;
  for (auto& header : headers) cells.push_back({std::move(header), Color::dim});
  rows_.push_back(std::move(cells));
}

void Table::add(std::vector<Cell> cells) { rows_.push_back(std::move(cells)); }

void Table::print(const Style& style, std::ostream& out) const {
  if (rows_.size() == 1) return;
  std::vector<std::size_t> widths;
  for (const auto& cells : rows_) {
    widths.resize(std::max(widths.size(), cells.size()));
    for (std::size_t i = 0; i < cells.size(); ++i) {
      widths[i] = std::max(widths[i], width_of(cells[i].text));
    }
  }
  for (const auto& cells : rows_) out << row(cells, widths, style) << '\n';
}

void print_fields(const std::vector<std::pair<std::string, Cell>>& fields, const Style& style,
                  std::ostream& out) {
  std::size_t width = 0;
  for (const auto& [name, value] : fields) {
    if (!value.text.empty()) width = std::max(width, width_of(name));
  }
  for (const auto& [name, value] : fields) {
    if (value.text.empty()) continue;
    out << row({{name, Color::dim}, value}, {width}, style) << '\n';
  }
}

}  // namespace pbxctl
