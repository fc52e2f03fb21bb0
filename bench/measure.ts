import { Precision } from "../contract/pack.ts"
import { defaultSampling } from "../contract/sampling.ts"
import { Decoder, decodeKinds } from "../main/engine/decode/decoder.ts"
import { Model } from "../main/engine/decode/model.ts"
import { Plain } from "./plain.ts"
import { benchPack, cache } from "./random-pack.ts"
import { anyPrompt, median, timePatches } from "./timing.ts"
import { cacheBytesPerPatch, weightBytesPerPatch } from "./traffic.ts"

/** One pack in one precision, in a process of its own so that peak memory is its own: prints one line of JSON. */
const [name = "text", precisionName = "int8", threadsText = "0"] = process.argv.slice(2)
const precision = Precision.parse(precisionName)
const threads = Number(threadsText)
const folder = benchPack(name)

Model.load(folder, precision, threads, cache) // compiles, so that what follows is what a second start costs
let began = performance.now()
const model = Model.load(folder, precision, threads, cache)
for (const kind of decodeKinds(model.config, defaultSampling)) await model.session(kind)
const loadMs = performance.now() - began

const { patch, context } = model.config
const past = Math.min(500, context - 1)
const prompt = anyPrompt(past * patch)
await Decoder.start(model, prompt, 1) // loads the prefill graph
began = performance.now()
const { decoder } = await Decoder.start(model, prompt, 1)
const prefillMs = performance.now() - began
began = performance.now()
await decoder.step(defaultSampling, 1)
const firstPatchMs = prefillMs + performance.now() - began

// Before and after the other way, so that a slower minute falls on both; never beside its spinning threads.
const ours = await timePatches(decoder, 30)
await model.release()
const theirs = await Plain.load(model, precision, threads)
const plain = (await theirs.decode(past, 24)).slice(4)
await theirs.release()
for (const kind of decodeKinds(model.config, defaultSampling)) await model.session(kind)
await decoder.step(defaultSampling, 1)
ours.push(...(await timePatches(decoder, 30)))
const patchMs = median(ours)
const plainMs = median(plain)
process.stdout.write(
  `${JSON.stringify({
    name,
    precision,
    threads,
    loadMs,
    prefillBytesPerSecond: (prompt.length / prefillMs) * 1000,
    firstPatchMs,
    patchMs,
    bytesPerSecond: (patch / patchMs) * 1000,
    weightBytes: weightBytesPerPatch(model.config, precision),
    cacheBytes: cacheBytesPerPatch(model.config, past),
    timesPlain: plainMs / patchMs,
    peakMemoryMB: process.resourceUsage().maxRSS / 1024,
  })}\n`,
)
