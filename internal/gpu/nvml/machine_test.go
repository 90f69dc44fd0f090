//go:build cgo

package nvml

import (
	"fmt"
	"testing"

	"github.com/NVIDIA/go-nvml/pkg/nvml"
	"github.com/NVIDIA/go-nvml/pkg/nvml/mock"
	"github.com/NVIDIA/go-nvml/pkg/nvml/mock/server"

	"github.com/company/k8s-resource-monitor/internal/gpu"
)

func cardUUID(i int) string     { return fmt.Sprintf("GPU-%08x-aaaa-bbbb-cccc-%012x", i, i) }
func instanceUUID(i int) string { return fmt.Sprintf("MIG-%08x-dddd-eeee-ffff-%012x", i, i) }

// measured gives a mocked machine the figures that the mock has not.
func measured(m *server.Server) *server.Server {
	for i, d := range m.Devices {
		d := d.(*server.Device)
		d.UUID = cardUUID(i)
		d.GetPowerUsageFunc = func() (uint32, nvml.Return) { return 610_500 + uint32(i), nvml.SUCCESS }
		d.GetTotalEnergyConsumptionFunc = func() (uint64, nvml.Return) { return 123_456_789_000 + uint64(i), nvml.SUCCESS }
		d.GetTemperatureFunc = func(nvml.TemperatureSensors) (uint32, nvml.Return) { return 40 + uint32(i), nvml.SUCCESS }
		d.GetClockInfoFunc = func(clock nvml.ClockType) (uint32, nvml.Return) {
			if clock != nvml.CLOCK_SM {
				return 0, nvml.ERROR_INVALID_ARGUMENT
			}
			return 1980, nvml.SUCCESS
		}
		d.GetUtilizationRatesFunc = func() (nvml.Utilization, nvml.Return) {
			return nvml.Utilization{Gpu: 10 * uint32(i), Memory: 99}, nvml.SUCCESS
		}
		total := d.MemoryInfo.Total
		d.MemoryInfo = nvml.Memory{Total: total, Free: total - 3<<30, Used: 3 << 30}
		d.GetMemoryInfo_v2Func = func() (nvml.Memory_v2, nvml.Return) {
			return nvml.Memory_v2{Total: total, Reserved: 1 << 30, Free: total - 3<<30, Used: 2 << 30}, nvml.SUCCESS
		}
	}
	return m
}

// cut makes MIG instances on a card: one compute instance in each, as device
// plugins make them, but two in the last.
func cut(t *testing.T, card *server.Device, profiles ...string) {
	t.Helper()
	card.MigMode = nvml.DEVICE_MIG_ENABLE
	card.GetUtilizationRatesFunc = func() (nvml.Utilization, nvml.Return) { return nvml.Utilization{}, nvml.ERROR_NOT_SUPPORTED }
	byID := map[int]nvml.GpuInstance{}
	var migs []nvml.Device
	start := uint32(0)
	for i, profile := range profiles {
		size, ok := gpu.Slices(profile)
		info, r := card.GetGpuInstanceProfileInfo(size - 1) // the mock has them by slices
		if !ok || r != nvml.SUCCESS {
			t.Fatalf("profile %s: %v, %v", profile, ok, r)
		}
		gi, r := card.CreateGpuInstanceWithPlacement(&info, &nvml.GpuInstancePlacement{Start: start, Size: uint32(size)})
		if r != nvml.SUCCESS {
			t.Fatal(r)
		}
		start += uint32(size)
		byID[i] = gi
		compute := []string{profile}
		if i == len(profiles)-1 {
			compute = []string{"1c." + profile, "1c." + profile}
		}
		for j, name := range compute {
			migs = append(migs, &mock.Device{
				GetUUIDFunc:              func() (string, nvml.Return) { return instanceUUID(10*i + j), nvml.SUCCESS },
				GetNameFunc:              func() (string, nvml.Return) { return card.Config.Name + " MIG " + name, nvml.SUCCESS },
				GetGpuInstanceIdFunc:     func() (int, nvml.Return) { return i, nvml.SUCCESS },
				GetComputeInstanceIdFunc: func() (int, nvml.Return) { return j, nvml.SUCCESS },
				GetMemoryInfoFunc: func() (nvml.Memory, nvml.Return) {
					return nvml.Memory{Total: uint64(size) * 5 << 30, Used: uint64(i+1) << 30}, nvml.SUCCESS
				},
				GetMemoryInfo_v2Func: func() (nvml.Memory_v2, nvml.Return) {
					return nvml.Memory_v2{Total: uint64(size) * 5 << 30, Used: uint64(i+1) << 30, Reserved: 1 << 20}, nvml.SUCCESS
				},
			})
		}
	}
	card.GetMaxMigDeviceCountFunc = func() (int, nvml.Return) { return 7, nvml.SUCCESS }
	card.GetMigDeviceHandleByIndexFunc = func(i int) (nvml.Device, nvml.Return) {
		if i >= len(migs) {
			return nil, nvml.ERROR_NOT_FOUND
		}
		return migs[i], nvml.SUCCESS
	}
	card.GetGpuInstanceByIdFunc = func(id int) (nvml.GpuInstance, nvml.Return) { return byID[id], nvml.SUCCESS }
}
