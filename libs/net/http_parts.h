#pragma once

#include <algorithm>
#include <cctype>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/error.hpp>
#include <boost/beast/http.hpp>

#include "base/result.h"
#include "net/endpoint.h"

// What HttpClient and HttpDownload share. Only for libs/net.
namespace net {

// What is read at a time. Beast fills what room a buffer has, and an empty one has 512 bytes.
inline constexpr std::size_t kReadBytes = 32 << 10;

inline boost::beast::http::request<boost::beast::http::string_body> request_of(
    const std::string& method, const Endpoint& endpoint, std::string body, bool keep_alive) {
  boost::beast::http::request<boost::beast::http::string_body> request;
  request.version(11);
  request.method_string(method);
  request.target(endpoint.target);
  for (const auto& [name, value] : endpoint.headers) request.insert(name, value);
  request.set(boost::beast::http::field::host, endpoint.host_header());
  request.body() = std::move(body);
  request.keep_alive(keep_alive);
  request.prepare_payload();
  return request;
}

// Names in lower case.
template <class Fields>
std::vector<std::pair<std::string, std::string>> headers_of(const Fields& fields) {
  std::vector<std::pair<std::string, std::string>> headers;
  for (const auto& field : fields) {
    std::string name(field.name_string());
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    headers.emplace_back(std::move(name), std::string(field.value()));
  }
  return headers;
}

// What Beast's errors mean to us.
inline base::Error meaning_of(const base::Error& error) {
  namespace http = boost::beast::http;
  if (error == boost::asio::error::operation_aborted || error.category() == base::category()) {
    return error;
  }
  if (error == http::error::body_limit || error == http::error::header_limit) {
    return base::Errc::message_too_big;
  }
  const bool is_end = error == http::error::end_of_stream || error == http::error::partial_message;
  const bool is_http = error.category() == make_error_code(http::error::bad_method).category();
  return is_http && !is_end ? base::Errc::bad_frame : base::Errc::link_lost;
}

inline std::string server_of(const Endpoint& endpoint) {
  return (endpoint.tls ? "https://" : "http://") + endpoint.name();
}

// "GET https://pbx:443/recs": for sentences, so without the query, which may have secrets.
inline std::string words_of(const std::string& method, const Endpoint& endpoint) {
  return method + ' ' + server_of(endpoint) + endpoint.target.substr(0, endpoint.target.find('?'));
}

}  // namespace net
