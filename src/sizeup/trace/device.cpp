// A CUDA device that is not there, for a PyTorch that was built without CUDA.
//
// Autograd asks the device guard for a stream as soon as a tensor says that it lives on "cuda"; a build without CUDA has no
// guard and ends the process. Under fake tensors no kernel runs and nothing is allocated, so a guard that does nothing, and
// hooks that claim one device, are all that is missing. Has to be loaded before torch, which reads the hooks' registry once.
#include <ATen/detail/CUDAHooksInterface.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>

namespace absent {

using c10::Device;
using c10::DeviceIndex;
using c10::DeviceType;
using c10::Stream;

Device only() { return Device(DeviceType::CUDA, 0); }
Stream stream() { return Stream(Stream::DEFAULT, only()); }

struct Guard final : public c10::impl::DeviceGuardImplInterface {
  DeviceType type() const override { return DeviceType::CUDA; }
  DeviceIndex deviceCount() const noexcept override { return 1; }
  Device getDevice() const override { return only(); }
  Device exchangeDevice(Device) const override { return only(); }
  void setDevice(Device) const override {}
  void uncheckedSetDevice(Device) const noexcept override {}
  Stream getStream(Device) const noexcept override { return stream(); }
  Stream getDefaultStream(Device) const override { return stream(); }
  Stream getStreamFromGlobalPool(Device, bool) const override { return stream(); }
  Stream getNewStream(Device, int) const override { return stream(); }
  Stream exchangeStream(Stream) const noexcept override { return stream(); }
  bool queryStream(const Stream&) const override { return true; }
  void synchronizeStream(const Stream&) const override {}
  void record(void**, const Stream&, const DeviceIndex, const c10::EventFlag) const override {}
  void block(void*, const Stream&) const override {}
  bool queryEvent(void*) const override { return true; }
  void synchronizeEvent(void*) const override {}
  void destroyEvent(void*, const DeviceIndex) const noexcept override {}
};

struct Hooks : public at::CUDAHooksInterface {
  explicit Hooks(at::CUDAHooksArgs) {}
  void init() const override {}
  bool isBuilt() const override { return true; }
  bool isAvailable() const override { return true; }
  bool hasCUDA() const override { return true; }
  bool hasPrimaryContext(DeviceIndex) const override { return true; }
  DeviceIndex deviceCount() const override { return 1; }
  DeviceIndex getCurrentDevice() const override { return 0; }
};

Guard guard;

}  // namespace absent

namespace at {
// The registry knows the hooks of CUDA by this name.
using CUDAHooks = absent::Hooks;
REGISTER_CUDA_HOOKS(CUDAHooks);
}  // namespace at

// 0 when the device is in place, 1 when there is a real one, 2 when torch was loaded too early.
extern "C" int install() {
  if (c10::impl::hasDeviceGuardImpl(c10::DeviceType::CUDA)) return 1;
  c10::impl::device_guard_impl_registry[static_cast<size_t>(c10::DeviceType::CUDA)].store(&absent::guard);
  return at::detail::getCUDAHooks().hasCUDA() ? 0 : 2;
}
