#pragma once

#include <ostream>
#include <string>
#include <vector>

namespace pbxctl {

enum class Color { none, bold, dim, red, green, yellow, blue, magenta, cyan };

// Whether text is coloured at all.
class Style {
 public:
  explicit Style(bool colored) : colored_(colored) {}
  std::string operator()(Color color, std::string_view text) const;

 private:
  bool colored_;
};

struct Cell {
  std::string text;
  Color color = Color::none;
};

// One line of columns, each as wide as said, with two blanks between them and none at the end. Text
// that is wider pushes what follows to the right.
std::string row(const std::vector<Cell>& cells, const std::vector<std::size_t>& widths,
                const Style& style);

// Rows under headers, every column as wide as its widest cell.
class Table {
 public:
  explicit Table(std::vector<std::string> headers);
  void add(std::vector<Cell> cells);
  // Nothing at all if there are no rows.
  void print(const Style& style, std::ostream& out) const;

 private:
  std::vector<std::vector<Cell>> rows_;
};

// "name   value" for each of one thing's fields; those with empty values are left out.
void print_fields(const std::vector<std::pair<std::string, Cell>>& fields, const Style& style,
                  std::ostream& out);

}  // namespace pbxctl
