// A C face of libtorch's c10d: a store, and a process group of one backend.
//
// Every function returns null, or the message of what went wrong, which `hemora_c10d_free` takes back.
// Tensors are `at::Tensor*`, as the crate torch-sys holds them.

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <memory>
#include <string>
#include <vector>

#include <c10/util/Logging.h>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
#ifdef USE_C10D_NCCL
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>
#endif

namespace {

struct Store {
  c10::intrusive_ptr<c10d::Store> inner;
};

struct Group {
  c10::intrusive_ptr<c10d::Backend> inner;
};

std::chrono::milliseconds milliseconds(int64_t count) {
  return std::chrono::milliseconds(count);
}

template <typename Work>
char* guarded(Work work) noexcept {
  try {
    work();
    return nullptr;
  } catch (const c10::Error& error) {
    // Without the backtrace, which says nothing to a user.
    return strdup(error.what_without_backtrace());
  } catch (const std::exception& error) {
    return strdup(error.what());
  } catch (...) {
    return strdup("an exception of an unknown type");
  }
}

std::vector<at::Tensor> listed(at::Tensor* const* tensors, size_t count) {
  std::vector<at::Tensor> list;
  list.reserve(count);
  for (size_t at = 0; at < count; ++at) {
    list.push_back(*tensors[at]);
  }
  return list;
}

void finish(const std::vector<c10::intrusive_ptr<c10d::Work>>& works) {
  for (const auto& work : works) {
    work->wait();
  }
}

} // namespace

extern "C" {

void hemora_c10d_free(char* text) {
  free(text);
}

// Ends the process at once, without the destructors that other threads may still need.
void hemora_c10d_leave(int status) {
  _exit(status);
}

// The host's name, cut to `length` bytes with a zero at the end.
void hemora_c10d_host(char* name, size_t length) {
  if (gethostname(name, length) != 0 && length > 0) {
    name[0] = 0;
  }
  if (length > 0) {
    name[length - 1] = 0;
  }
}

int hemora_c10d_has_nccl() {
#ifdef USE_C10D_NCCL
  return 1;
#else
  return 0;
#endif
}

char* hemora_c10d_store_open(
    const char* host,
    uint16_t port,
    int serves,
    int64_t timeout,
    const char* prefix,
    Store** out) {
  return guarded([&] {
    // A lost store is ours to tell, without warnings and backtraces, unless somebody asks for them.
    if (std::getenv("TORCH_CPP_LOG_LEVEL") == nullptr) {
      FLAGS_caffe2_log_level = std::max(FLAGS_caffe2_log_level, 2);
    }
    c10d::TCPStoreOptions options;
    options.port = port;
    options.isServer = serves != 0;
    options.waitWorkers = false;
    options.timeout = milliseconds(timeout);
    auto tcp = c10::make_intrusive<c10d::TCPStore>(std::string(host), options);
    tcp->setTimeout(milliseconds(timeout));
    auto store = c10::make_intrusive<c10d::PrefixStore>(std::string(prefix), std::move(tcp));
    *out = new Store{std::move(store)};
  });
}

void hemora_c10d_store_close(Store* store) {
  guarded([&] { delete store; });
}

char* hemora_c10d_store_set(Store* store, const char* key, const uint8_t* value, size_t length) {
  return guarded([&] {
    store->inner->set(std::string(key), std::vector<uint8_t>(value, value + length));
  });
}

// Waits until the key is there, then copies its value into memory that `hemora_c10d_free` takes back.
char* hemora_c10d_store_get(
    Store* store,
    const char* key,
    int64_t timeout,
    char** value,
    size_t* length) {
  return guarded([&] {
    store->inner->wait({std::string(key)}, milliseconds(timeout));
    auto found = store->inner->get(std::string(key));
    char* copy = static_cast<char*>(malloc(found.size() + 1));
    if (copy == nullptr) {
      throw std::bad_alloc();
    }
    std::memcpy(copy, found.data(), found.size());
    *value = copy;
    *length = found.size();
  });
}

// Sets the key if it is not there yet.
char* hemora_c10d_store_claim(Store* store, const char* key, const uint8_t* value, size_t length) {
  return guarded([&] {
    store->inner->compareSet(std::string(key), {}, std::vector<uint8_t>(value, value + length));
  });
}

char* hemora_c10d_store_has(Store* store, const char* key, int* out) {
  return guarded([&] { *out = store->inner->check({std::string(key)}) ? 1 : 0; });
}

char* hemora_c10d_gloo_open(Store* store, int rank, int world, int64_t timeout, Group** out) {
  return guarded([&] {
    auto options = c10d::ProcessGroupGloo::Options::create_default(milliseconds(timeout));
    options->timeout = milliseconds(timeout);
    *out = new Group{
        c10::make_intrusive<c10d::ProcessGroupGloo>(store->inner, rank, world, options)};
  });
}

char* hemora_c10d_nccl_open(Store* store, int rank, int world, int64_t timeout, Group** out) {
#ifdef USE_C10D_NCCL
  return guarded([&] {
    auto options = c10d::ProcessGroupNCCL::Options::create();
    options->timeout = milliseconds(timeout);
    *out = new Group{
        c10::make_intrusive<c10d::ProcessGroupNCCL>(store->inner, rank, world, options)};
  });
#else
  (void)store, (void)rank, (void)world, (void)timeout, (void)out;
  return strdup("built without NCCL");
#endif
}

// Ends its threads, once they have nothing left to do.
void hemora_c10d_group_close(Group* group) {
  guarded([&] { delete group; });
}

// Sums every tensor over the ranks, in place; all are under way at once.
char* hemora_c10d_all_reduce(Group* group, at::Tensor* const* tensors, size_t count) {
  return guarded([&] {
    std::vector<c10::intrusive_ptr<c10d::Work>> works;
    for (auto& tensor : listed(tensors, count)) {
      std::vector<at::Tensor> one{tensor};
      works.push_back(group->inner->allreduce(one));
    }
    finish(works);
  });
}

// Overwrites every tensor with that of rank `root`.
char* hemora_c10d_broadcast(Group* group, at::Tensor* const* tensors, size_t count, int root) {
  return guarded([&] {
    c10d::BroadcastOptions options;
    options.rootRank = root;
    std::vector<c10::intrusive_ptr<c10d::Work>> works;
    for (auto& tensor : listed(tensors, count)) {
      std::vector<at::Tensor> one{tensor};
      works.push_back(group->inner->broadcast(one, options));
    }
    finish(works);
  });
}

// Fills `outputs`, one a rank, each of the shape of `input`.
char* hemora_c10d_all_gather(
    Group* group,
    const at::Tensor* input,
    at::Tensor* const* outputs,
    size_t world) {
  return guarded([&] {
    std::vector<std::vector<at::Tensor>> lists{listed(outputs, world)};
    std::vector<at::Tensor> inputs{*input};
    finish({group->inner->allgather(lists, inputs)});
  });
}

} // extern "C"
