import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, afterEach, describe, expect, inject, it, vi } from "vitest"
import type { ProbeRequest } from "../../../contract/engine.ts"
import { CodedError } from "../../../contract/errors.ts"
import { fakeEngine } from "../../../test/support/fake-engine.ts"
import { forkEngine } from "./client.ts"
import { chooseDevice, tryDevices } from "./devices.ts"

const folder = mkdtempSync(join(tmpdir(), "megabyte-devices-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
afterEach(() => void vi.useRealTimers())
const pack = { folder: join(import.meta.dirname, "../../../test/parity/byte"), precision: "fp32", threads: 1 } as const

/** Engines that answer a probe with milliseconds, die, refuse or never answer; counts those that were started. */
function engines(answer: (request: ProbeRequest) => number | "dies" | "hangs" | CodedError) {
  let count = 0
  const start = () => {
    count++
    return fakeEngine((dies) => ({
      probe: (request) => {
        const said = answer(request)
        if (said instanceof CodedError) throw said
        if (said === "dies") return dies("SIGSEGV")
        return said === "hangs" ? new Promise<never>(() => {}) : request.pack ? { msPerPatch: said } : {}
      },
    }))
  }
  return { start, started: () => count }
}
const cacheOf = (name: string) => join(folder, name)

describe("devices", () => {
  it("each is tried in a process of its own; one that crashes is told, and takes nothing with it", async () => {
    const { start } = engines(({ device }) => (device === "cpu" ? 1 : "dies"))
    const [cpu, gpu] = await tryDevices(start, cacheOf("a"))
    expect(cpu).toEqual({ device: "cpu", works: true })
    expect(gpu).toMatchObject({ device: "webgpu", works: false, why: expect.stringContaining("SIGSEGV") })
  })

  it("one that hangs is given up", async () => {
    vi.useFakeTimers()
    const { start } = engines(({ device }) => (device === "cpu" ? 1 : "hangs"))
    const found = tryDevices(start, cacheOf("b"))
    await vi.advanceTimersByTimeAsync(60_000)
    expect((await found)[1]).toMatchObject({ works: false, why: expect.stringContaining("did not answer") })
  })

  it("auto measures the pack once on each, takes the fastest, and remembers it", async () => {
    const fast = engines(({ device }) => (device === "cpu" ? 5 : 2))
    const choose = () => chooseDevice(fast.start, cacheOf("c"), "auto", pack)
    expect(await choose()).toEqual({ device: "webgpu", precision: "fp32" })
    const before = fast.started()
    expect(await choose()).toEqual({ device: "webgpu", precision: "fp32" })
    expect(fast.started()).toBe(before)
    // Looking at the devices anew forgets it: a driver may have come or gone.
    await tryDevices(fast.start, cacheOf("c"))
    const slow = engines(({ device }) => (device === "cpu" ? 2 : 5))
    expect(await chooseDevice(slow.start, cacheOf("c"), "auto", pack)).toEqual({ device: "cpu", precision: "fp32" })
  })

  it("auto is never worse than the CPU: a GPU that dies while it is measured is not taken", async () => {
    const { start } = engines((request) => (request.device === "webgpu" && request.pack ? "dies" : 3))
    expect(await chooseDevice(start, cacheOf("d"), "auto", pack)).toEqual({ device: "cpu", precision: "fp32" })
  })

  it("a GPU far slower than the CPU is given up at once, and not asked again in another precision", async () => {
    const asked: ProbeRequest[] = []
    const { start } = engines((request) => {
      if (request.pack) asked.push(request)
      return request.pack && request.device !== "cpu" ? new CodedError("tooSlow", "In other words.") : 5
    })
    const { folder, threads } = pack
    const chosen = await chooseDevice(start, cacheOf("j"), "auto", { folder, threads })
    expect(chosen).toEqual({ device: "cpu", precision: "int8" })
    const onGpu = asked.filter(({ device }) => device === "webgpu")
    expect(onGpu.map((r) => [r.pack?.precision, r.limit])).toEqual([["fp16", 20]])
  })

  it("gpu is the GPU where one works, cpu asks nobody", async () => {
    const { start, started } = engines(() => 1)
    expect(await chooseDevice(start, cacheOf("e"), "cpu", pack)).toEqual({ device: "cpu", precision: "fp32" })
    expect(started()).toBe(0)
    expect(await chooseDevice(start, cacheOf("e"), "gpu", pack)).toEqual({ device: "webgpu", precision: "fp32" })
    expect(await chooseDevice(engines(() => "dies").start, cacheOf("e"), "gpu", pack)).toEqual({
      device: "cpu",
      precision: "fp32",
    })
  })

  it("where no precision is asked for, a GPU is measured in fp16 and with 8-bit weights, and the faster is taken", async () => {
    const { folder, threads } = pack
    const choose = (times: Record<string, number>, choice: "auto" | "gpu", name: string) => {
      const probed = ({ device, half, pack: p }: ProbeRequest) =>
        times[p ? `${device} ${p.precision}` : `${half ?? false}`] ?? "dies"
      return chooseDevice(engines(probed).start, cacheOf(name), choice, { folder, threads })
    }
    const tiny = { true: 1, false: 1 }
    const all = { ...tiny, "cpu int8": 5, "webgpu fp16": 2, "webgpu int8": 3 }
    expect(await choose(all, "auto", "g")).toEqual({ device: "webgpu", precision: "fp16" })
    expect(await choose({ ...all, "webgpu int8": 1 }, "auto", "h")).toEqual({ device: "webgpu", precision: "int8" })
    // Without fp16 it does not answer in it.
    const plain = { false: 1, "cpu int8": 5, "webgpu int8": 3 }
    expect(await choose(plain, "auto", "i")).toEqual({ device: "webgpu", precision: "int8" })
    expect(await choose(all, "gpu", "g")).toEqual({ device: "webgpu", precision: "fp16" })
    expect(await choose(plain, "gpu", "i")).toEqual({ device: "webgpu", precision: "int8" })
  })

  it("the real engine answers for both, and measures a pack", async () => {
    const found = await tryDevices(forkEngine, cacheOf("f"))
    expect(found).toContainEqual({ device: "cpu", works: true })
    const gpu = found.find(({ device }) => device === "webgpu")
    const { works, half } = inject("gpu")
    expect(gpu).toEqual({
      device: "webgpu",
      works,
      ...(half ? { half } : {}),
      ...(works ? {} : { why: expect.any(String) }),
    })
    // What cannot run here says why.
    for (const { device, works, why } of found.slice(2)) expect(`${device} ${works} ${why}`).toMatch(/true|false .{10}/)
    expect(["cpu", "webgpu"]).toContain((await chooseDevice(forkEngine, cacheOf("f"), "auto", pack)).device)
  })
})
