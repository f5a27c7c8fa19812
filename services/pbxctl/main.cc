// pbxctl: the command line of the control service.
#include <exception>
#include <iostream>

#include <unistd.h>

#include "pbxctl/run.h"

int main(int argc, char** argv) {
  try {
    return pbxctl::run({argv + 1, argv + argc},
                       {.out = std::cout, .err = std::cerr, .is_terminal = ::isatty(1) == 1});
  } catch (const std::exception& error) {
    std::cerr << "pbxctl: " << error.what() << '\n';
    return 1;
  }
}
