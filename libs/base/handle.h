#pragma once

namespace base {

// Frees what a C library has made, by that library's own function:
// std::unique_ptr<X509, base::FreedBy<X509_free>>.
template <auto free>
struct FreedBy {
  template <class T>
  void operator()(T* it) const {
    free(it);
  }
};

}  // namespace base
