import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { ProbeRequest } from "../../../contract/engine.ts"
import { CodedError } from "../../../contract/errors.ts"
import type { Device } from "../../../contract/pack.ts"
import { defaultSampling } from "../../../contract/sampling.ts"
import { Decoder } from "../decode/decoder.ts"
import { Model } from "../decode/model.ts"
import { Graph } from "../graph/onnx.ts"
import { InferenceSession, listSupportedBackends, Tensor } from "../onnxruntime.ts"
import { fastestThreads } from "./threads.ts"

/** Patches that are timed, after two that compile what is compiled at first use. */
const TIMED = 6

/** 1 + 2 on the device, and nothing of it on the CPU; in fp16 where asked. */
async function runTiny(device: Device, half: boolean): Promise<void> {
  if (!listSupportedBackends().some((backend) => backend.name === device)) throw new Error("this build has none")
  const g = new Graph("tiny", () => ({ type: "float32", dims: [], offset: 0, length: 0 }), "")
  const x = g.input("x", "float32", [1])
  const sum = half
    ? g.node("Cast", [g.node("Add", [g.node("Cast", [x], { to: 10 }), g.halves([2])])], { to: 1 })
    : g.node("Add", [x, g.floats([2])])
  g.output("y", sum, "float32", [1])
  const folder = mkdtempSync(join(tmpdir(), "megabyte-probe-"))
  try {
    writeFileSync(join(folder, "tiny.onnx"), g.encode())
    const options = { executionProviders: [device], logSeverityLevel: 4 as const }
    const session = await InferenceSession.create(join(folder, "tiny.onnx"), {
      ...options,
      ...(device === "cpu" ? {} : { extra: { session: { disable_cpu_ep_fallback: "1" } } }),
    })
    const out = await session.run({ x: new Tensor("float32", Float32Array.of(1), [1]) })
    if (((out.y as Tensor).data as Float32Array)[0] !== 3) throw new Error("it computes wrong numbers")
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/**
 * Tries a device: whether a tiny graph runs on it and, with a pack, how many milliseconds a patch takes.
 * @param cache folder of compiled graphs
 * @throws CodedError `tooSlow`, or an Error that says in one line why it does not work
 */
export async function probe({ device, half, pack, limit }: ProbeRequest, cache: string): Promise<number | undefined> {
  try {
    await runTiny(device, half)
    return pack && (await measure(device, pack, cache, limit))
  } catch (error) {
    if (error instanceof CodedError) throw error
    // The runtime puts its source line and the failed check before what it has to say.
    throw new Error((error as Error).message.replace(/^.* was false\. /, ""))
  }
}

async function measure(
  device: Device,
  pack: NonNullable<ProbeRequest["pack"]>,
  cache: string,
  limit = Number.POSITIVE_INFINITY,
): Promise<number> {
  const model = Model.load(pack.folder, pack.precision, pack.threads, cache, device)
  if (device === "cpu" && !model.decodeThreads) model.decodeThreads = await fastestThreads(model, cache)
  const { decoder } = await Decoder.start(model, new Uint8Array(model.config.patch), 1)
  const times: number[] = []
  for (let i = 0; i < TIMED + 2; i++) {
    const began = performance.now()
    await decoder.step(defaultSampling, 1)
    times.push(performance.now() - began)
    // The first compiles.
    if (i > 0 && (times[i] as number) > limit)
      throw new CodedError("tooSlow", `it takes more than ${limit.toFixed(0)} ms a patch`)
  }
  return times.slice(2).sort((a, b) => a - b)[TIMED >> 1] as number
}
