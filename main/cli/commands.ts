import { randomInt } from "node:crypto"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { LONGEST_TEXT } from "../../contract/app.ts"
import { Bytes } from "../../contract/bytes.ts"
import { isWithinWord } from "../../contract/characters.ts"
import { MAX_LENGTH, MAX_SEED, MAX_THREADS, MAX_VARIATIONS } from "../../contract/limits.ts"
import { Modality, modalities } from "../../contract/modality/index.ts"
import { DeviceChoice, documentsOf, isMeasured, type Pack, Precision } from "../../contract/pack.ts"
import { presetsOf } from "../../contract/presets.ts"
import { MOST_AGAIN, MOST_GUIDANCE, nextSeed, outside, type Sampling } from "../../contract/sampling.ts"
import { EngineClient, forkEngine } from "../host/engine/client.ts"
import { chooseDevice, tryDevices } from "../host/engine/devices.ts"
import { checkWritable } from "../host/folders.ts"
import { MediaReader } from "../host/media/client.ts"
import { isUtf8 } from "../host/media/encoding.ts"
import { media } from "../host/media/index.ts"
import { defaultPaths, findPack, importPath, listPacks, packFor } from "../host/packs/find.ts"
import { documentBounds, readPack, wholeDocument } from "../packs/read.ts"
import { number, parse, share, UsageError, withValues } from "./arguments.ts"
import { withInput } from "./input.ts"
import { Interrupted } from "./interrupted.ts"
import { assertWritable, outputNames, writeWhole } from "./output.ts"
import { serveApp } from "./serve.ts"

const help = `megabyte: generate and continue raw bytes with a MEGABYTE model, offline

  megabyte generate [--pack text] [--prompt TEXT] [--bytes N]     make something new
  megabyte generate --style "tiny tale" --until-end               a whole story
  megabyte generate --pack image --out cat.png [--style animal]   a picture; --enlarge 16 repeats its pixels
  megabyte generate --pack audio --seconds 8 --out tune.wav       a sound, as WAV or FLAC
  megabyte continue FILE [--keep 50%] [--bytes N] [--out FILE]    go on from a text, a row of a picture, a time
  megabyte continue FILE --columns [--keep 16]                    go on from a column of a picture, left to right
  megabyte score FILE [--pack NAME] [--precision fp32,int8]       bits per byte of a file
  megabyte packs | devices                                        what there is
  megabyte import PATH [--extension bmp] [--heads N] [--name X]   a pack's folder, or weights of MEGABYTE-pytorch or bGPT
  megabyte serve [--port N] [--no-open]                           the app in this machine's browser
  megabyte start                                                  the app in Electron, where its binary is

  generate and continue: --preset tame|default|wild  --seed N  --temperature T  --top-p P  --top-k K  --min-p P  --guidance G  --variations 1
  pictures:              --crop 0..1|whole  --dither              which part of another shape; mixed colors as patterns
  everywhere:            --precision int8|fp16|fp32  --device auto|gpu|cpu  --threads N  --json
`

const text = { type: "string" } as const
const flag = { type: "boolean" } as const
const common = { pack: text, precision: text, device: text, threads: text, json: flag }
const making = {
  ...common,
  bytes: text,
  out: text,
  seed: text,
  temperature: text,
  "top-p": text,
  "top-k": text,
  "min-p": text,
  guidance: text,
  variations: text,
  preset: text,
  style: text,
  "until-end": flag,
  enlarge: text,
  seconds: text,
}
/** How a picture is brought to a pack's canvas. */
const framing = { crop: text, dither: flag }
/** What the file of another package's weights does not tell. */
const importing = { heads: text, context: text, extension: text, modality: text, name: text, license: text, json: flag }
/** What ends a run early: what was made until then is written. */
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const

type Values<T> = { [K in keyof T]?: (T[K] extends { type: "boolean" } ? boolean : string) | undefined }

/** Runs one command. @throws UsageError, or an error whose first line is for a person */
export async function run([command = "help", ...args]: string[]): Promise<void> {
  // A value may look like the wish for help, such as a prompt.
  const words = withValues([command, ...args], { ...making, prompt: text, keep: text, port: text })
  if (command === "help" || words.some((a) => a === "--help" || a === "-h")) return void process.stdout.write(help)
  switch (command) {
    case "generate": {
      const { values } = parse(args, { ...making, prompt: text }, 0)
      const chosen = target(values)
      if (values.prompt !== undefined && documentsOf(chosen.pack).files.raw)
        throw new UsageError(
          `--prompt is text, and the pack ${chosen.pack.name} makes ${chosen.pack.modality}; use megabyte continue FILE`,
        )
      return make(Buffer.from(values.prompt ?? ""), values, chosen)
    }
    case "continue": {
      const { values, positionals } = parse(args, { ...making, ...framing, keep: text, columns: flag }, 1)
      const prompt = await readPrompt(positionals[0] as string, values)
      const { bytes, chosen, unit } = prompt
      // Of a picture half is kept where nothing is said: all of it would leave nothing to do.
      const usual = documentsOf(chosen.pack).whole ? "50%" : "100%"
      const kept = share("keep", values.keep ?? usual, Math.floor(bytes.length / unit.bytes), unit.name) * unit.bytes
      const decoded = (part: Uint8Array) => new TextDecoder().decode(part)
      const within = isWithinWord(
        decoded(bytes.subarray(Math.max(0, kept - 8), kept)),
        decoded(bytes.subarray(kept, kept + 8)),
      )
      return make(bytes.subarray(0, kept), values, chosen, prompt.samples?.subarray(0, kept / unit.bytes), within)
    }
    case "score": {
      const { values, positionals } = parse(args, { ...common, ...framing }, 1)
      const { bytes, chosen } = await readPrompt(positionals[0] as string, values)
      return score(bytes, { ...values, pack: chosen.folder })
    }
    case "packs": {
      const { values } = parse(args, { json: flag }, 0)
      return packs(values.json ?? false)
    }
    case "import": {
      const { values, positionals } = parse(args, importing, 1)
      const places = defaultPaths()
      checkWritable(places.home, "MEGABYTE_HOME")
      const name = importPath(positionals[0] as string, places, foreignOptions(values))
      return void process.stdout.write(values.json ? `${JSON.stringify({ name })}\n` : `imported ${name}\n`)
    }
    case "devices": {
      const { values } = parse(args, { json: flag }, 0)
      return devices(values.json ?? false)
    }
    case "serve": {
      const { values } = parse(args, { port: text, "no-open": flag }, 0)
      return serveApp(number("port", values.port, 0, { min: 0, max: 65535, whole: true }), !values["no-open"])
    }
    default:
      throw new UsageError(`unknown command "${command}"; see megabyte --help`)
  }
}

/**
 * The canonical bytes of a file for the pack that is named, or for the one that fits the file, and the unit that they
 * are kept by. Text in UTF-8 is taken byte for byte as it is; other texts, pictures and sounds are converted, and what was
 * done is said on stderr. Sounds come with their samples, which are finer than their bytes.
 */
function readPrompt(given: string, values: Values<typeof common & typeof framing & { columns: typeof flag }>) {
  return withInput(given, async ({ name, path }) => {
    const reader = new MediaReader()
    try {
      const pack = values.pack ?? packFor(await reader.detect(name, path), undefined, defaultPaths())
      const chosen = target({ ...values, pack }, values.precision?.split(",")[0])
      const documents = documentsOf(chosen.pack)
      const { columns = false } = values
      if (columns && !documents.columns) throw new UsageError(`the pack ${chosen.pack.name} does not read by columns`)
      const unit = documents.grain(columns)
      if (!documents.files.raw) {
        const bytes = new Uint8Array(readFileSync(path))
        // A pack that is asked for by name takes any bytes; otherwise a text in another encoding is made UTF-8.
        if (values.pack !== undefined || isUtf8(bytes)) return { bytes, chosen, unit }
      }
      const crop = values.crop === "whole" ? ("whole" as const) : number("crop", values.crop, 0.5, { min: 0, max: 1 })
      const how = { framing: { crop, dithered: values.dither ?? false }, columns }
      const { bytes, samples, note } = await reader.read(name, path, chosen.pack, how)
      if (note) process.stderr.write(`${name}: ${note}\n`)
      return { bytes, samples, chosen, unit }
    } finally {
      reader.close()
    }
  })
}

/** What a person says of another package's weights. @throws UsageError */
function foreignOptions({ heads, context, extension, modality, name, license }: Values<typeof importing>) {
  const kind = Modality.optional().safeParse(modality)
  if (!kind.success || kind.data === "image" || kind.data === "audio")
    throw new UsageError(`--modality must be text or bytes, not "${modality}"`)
  if (extension !== undefined && !/^\.?[a-z0-9]{1,8}$/.test(extension))
    throw new UsageError(`--extension must be the ending of a file such as bmp, not "${extension}"`)
  const whole = (option: string, value: string) => number(option, value, 0, { min: 1, max: 65536, whole: true })
  return {
    heads: heads === undefined ? undefined : whole("heads", heads),
    context: context === undefined ? undefined : whole("context", context),
    extension,
    modality: kind.data,
    ...(name === undefined ? {} : { name }),
    license,
  }
}

/** The number of a style by its name. @throws UsageError */
function styleOf(pack: Pack, name: string | undefined): number {
  const { styles, defaultStyle } = documentsOf(pack)
  if (name === undefined) return defaultStyle
  const style = styles.indexOf(name)
  if (style < 0)
    throw new UsageError(
      `--style must be one of ${styles.join(", ") || "none: this pack has no styles"}, not "${name}"`,
    )
  return style
}

type Target = ReturnType<typeof target>

function target(values: Values<typeof common>, precision: string | undefined = values.precision) {
  const places = defaultPaths()
  checkWritable(places.cache, "MEGABYTE_CACHE")
  const device = values.device ?? "auto"
  const choice = DeviceChoice.safeParse(device)
  if (!choice.success) throw new UsageError(`--device must be auto, gpu or cpu, not "${device}"`)
  const chosen = Precision.optional().safeParse(precision)
  if (!chosen.success) throw new UsageError(`--precision must be int8, fp16 or fp32, not "${precision}"`)
  const folder = findPack(values.pack ?? "text", places)
  const threads = number("threads", values.threads, 0, { min: 0, max: MAX_THREADS, whole: true })
  return {
    pack: readPack(folder),
    folder,
    precision: chosen.data,
    threads,
    choice: choice.data,
    cache: join(places.cache, "graphs"),
  }
}

/** What the engine is to run, and what the choice of a device comes to here. */
async function placed({ folder, precision, threads, choice, cache }: Target) {
  const pack = { folder, threads, ...(precision ? { precision } : {}) }
  const placement = await chooseDevice(forkEngine, cache, choice, pack)
  if (choice === "gpu" && placement.device === "cpu")
    process.stderr.write("No GPU works here; the processor is used.\n")
  return { pack: folder, threads, ...placement }
}

/** Prints what runs here. What was measured before is forgotten, as a driver may have come or gone. */
async function devices(json: boolean): Promise<void> {
  const { cache } = defaultPaths()
  checkWritable(cache, "MEGABYTE_CACHE")
  const found = await tryDevices(forkEngine, join(cache, "graphs"))
  if (json) return void process.stdout.write(`${JSON.stringify(found)}\n`)
  for (const { device, works, half, why } of found)
    process.stdout.write(
      `${device.padEnd(8)}${works ? `works${half ? ", in fp16 too" : ""}` : `does not work here: ${why}`}\n`,
    )
}

function samplingOf(values: Values<typeof making>, pack: Pack): Sampling {
  const { preset = "default" } = values
  if (preset !== "tame" && preset !== "default" && preset !== "wild")
    throw new UsageError(`--preset must be tame, default or wild, not "${preset}"`)
  const d = presetsOf(pack)[preset]
  return {
    temperature: number("temperature", values.temperature, d.temperature, { min: 0, max: 10 }),
    topP: number("top-p", values["top-p"], d.topP, { min: 1e-6, max: 1 }),
    topK: number("top-k", values["top-k"], d.topK, { min: 0, max: 256, whole: true }),
    minP: number("min-p", values["min-p"], d.minP, { min: 0, max: 1 }),
    guidance: number("guidance", values.guidance, d.guidance ?? 1, { min: 1, max: MOST_GUIDANCE }),
  }
}

/**
 * Generates after `given` and writes what came, with `given` before it.
 * @param samples those of a sound that was given
 * @param withinWord whether a text was cut within a word, which may then go on
 */
async function make(
  given: Uint8Array,
  values: Values<typeof making & { columns: typeof flag }>,
  chosen: Target,
  samples?: Float32Array,
  withinWord = false,
): Promise<void> {
  const { pack, cache } = chosen
  const { noun, forms } = modalities[pack.modality]
  const { unit, usualLength, endMark, flaw, files } = documentsOf(pack)
  const extensions = [...new Set(Object.values(forms).map(({ extension }) => extension))]
  const form = Object.keys(forms).find((name) => values.out?.toLowerCase().endsWith(forms[name]?.extension ?? ""))
  if (files.raw && !values.out && !values.json)
    throw new UsageError(`a ${noun} needs a file: --out FILE${extensions.join(" or FILE")}`)
  if (files.raw && values.out && !form)
    throw new UsageError(`a ${noun} is written as ${extensions.join(" or ")}, not as "${values.out}"`)
  if (values.seconds !== undefined && unit.name !== "seconds")
    throw new UsageError("--seconds is for sounds; use --bytes")
  const untilEnd = values["until-end"] ?? false
  if (untilEnd && endMark === undefined)
    throw new UsageError(`--until-end is for texts that end, and the pack ${pack.name} has no end mark; use --bytes`)
  const style = styleOf(pack, values.style)
  const { columns } = values
  const { header, room, ...bounds } = documentBounds(pack, given, { style, columns, untilEnd })
  if (room <= 0) throw new UsageError("the whole picture is kept, so there is nothing left to generate; --keep less")
  const seconds = number("seconds", values.seconds, usualLength / unit.bytes, { min: 0.001, max: 86400 })
  const timed = values.seconds === undefined ? Math.min(usualLength, room) : Math.ceil(seconds * unit.bytes)
  const usual = untilEnd ? LONGEST_TEXT : timed
  const wanted = number("bytes", values.bytes, usual, { min: 1, max: MAX_LENGTH, whole: true })
  const length = Math.min(wanted, room)
  const seed = number("seed", values.seed, randomInt(MAX_SEED), { min: 0, max: MAX_SEED, whole: true })
  const variations = number("variations", values.variations, 1, { min: 1, max: MAX_VARIATIONS, whole: true })
  const sampling = samplingOf(values, pack)
  const note = (line: string) => process.stderr.write(`${line}\n`)
  const beyond = outside(sampling, pack.ranges)
  if (beyond.length) note(`Outside of what the pack ${pack.name} was tried with: ${beyond.join(", ")}.`)
  const enlarge = number("enlarge", values.enlarge, 1, { min: 1, max: 64, whole: true })
  const names = values.out ? outputNames(values.out, variations) : undefined
  for (const name of names ?? []) assertWritable(name)
  const made = Array.from({ length: variations }, () => new Bytes())
  const live = !names && !values.json && variations === 1

  let interrupt = (): void => process.exit(130)
  const onSignal = () => interrupt()
  for (const signal of SIGNALS) process.on(signal, onSignal)
  const engine = await placed(chosen)
  const client = new EngineClient(forkEngine(cache))
  let nats = 0
  let bytes = 0
  let firstPatch = 0
  const began = performance.now()
  if (live) process.stdout.write(given)
  const request = { ...engine, ...bounds, isText: bounds.isText && !withinWord, length, sampling }
  const run = client.generate(
    { ...request, variations, seed },
    {
      started: ({ used }) => {
        if (used < bounds.prompt.length)
          note(
            `The prompt is longer than the model's context: its last ${used - header} of ${given.length} bytes are used.`,
          )
      },
      fallback: note,
      patch: ({ parts }) => {
        firstPatch ||= performance.now() - began
        parts.forEach((part, b) => {
          made[b]?.append(part.bytes)
          bytes += part.bytes.length
          nats -= part.logprob.reduce((a, x) => a + x, 0)
        })
        if (live) process.stdout.write(parts[0]?.bytes ?? "")
      },
    },
  )
  // Before the first patch there is nothing to keep, so that nothing is waited for.
  const interrupted = new Promise<never>((_, reject) => {
    interrupt = () => (bytes ? run.cancel() : reject(new Interrupted("stopped before anything was made")))
  })
  interrupted.catch(() => {})
  try {
    const done = await Promise.race([run.result, interrupted])
    if (!bytes && done.reason === "cancelled") throw new Interrupted("stopped before anything was made")
    const bitsPerByte = bytes ? nats / Math.LN2 / bytes : 0
    const outputs = made.map((bytes) => Buffer.concat([given, bytes.view()]))
    const seeds = outputs.map(() => seed)
    // What stands on the screen already stays; greedy, another seed makes the same.
    const chances = live || sampling.temperature === 0 || done.reason !== "length" ? 0 : MOST_AGAIN
    for (const b of outputs.keys())
      for (let again = 0; again < chances; again++) {
        const found = flaw?.(outputs[b] as Buffer, given.length)
        if (!found) break
        seeds[b] = nextSeed(seeds[b] as number)
        note(`One came out ${found}; it is made again with seed ${seeds[b]}.`)
        const parts: Uint8Array[] = [given]
        const patch = (message: { parts: { bytes: Uint8Array }[] }) => {
          for (const part of message.parts) parts.push(part.bytes)
        }
        await client.generate({ ...request, variations: 1, seed: seeds[b] as number }, { patch }).result
        outputs[b] = Buffer.concat(parts)
      }
    if (names) {
      for (const [b, output] of outputs.entries()) {
        const how = { seed: seeds[b] as number, variations: 1, sampling, style, untilEnd, columns }
        const settings = { pack: pack.name, length, ...how }
        const name = names[b] as string
        // The part that was given keeps its own samples, finer than the bytes that the model saw.
        const writing = { settings, enlarge, samples }
        writeWhole(name, form ? await media[pack.modality].write(form, output, pack, writing) : output)
      }
    }
    if (values.json) {
      const results = outputs.map((output, b) => ({
        ...(names ? { file: names[b] } : {}),
        ...(seeds[b] === seed ? {} : { seed: seeds[b] }),
        base64: output.toString("base64"),
      }))
      const speed = {
        seconds: done.decodeMs / 1000,
        bytesPerSecond: (bytes / done.decodeMs) * 1000,
        firstPatchMs: firstPatch,
      }
      process.stdout.write(
        `${JSON.stringify({ pack: pack.name, seed, sampling, bitsPerByte, bytes, reason: done.reason, ...speed, results })}\n`,
      )
    } else if (live) process.stdout.write("\n")
    else if (!names)
      outputs.forEach((output, b) => {
        process.stdout.write(`${b ? "\n" : ""}--- ${b + 1} of ${variations} ---\n${output}\n`)
      })
    const rate = Math.round((bytes / done.decodeMs) * 1000)
    note(
      `${bytes} bytes, ${rate} bytes/s, first patch after ${(firstPatch / 1000).toFixed(2)} s, ` +
        `${bitsPerByte.toFixed(3)} bits/byte, seed ${seed}${done.reason === "end" ? ", the model ended the document" : ""}` +
        `${done.reason === "cancelled" ? ", stopped" : ""}${names ? `, written to ${names.join(", ")}` : ""}`,
    )
  } finally {
    for (const signal of SIGNALS) process.off(signal, onSignal)
    client.close()
  }
}

/** Bits per byte of a file; with several precisions, also what the later ones lose against the first. */
async function score(bytes: Uint8Array, values: Values<typeof common>): Promise<void> {
  const precisions = values.precision?.split(",") ?? [undefined]
  const results: { precision: string; bitsPerByte: number; seconds: number; perByte: number[] }[] = []
  let name = ""
  for (const precision of precisions) {
    const chosen = target(values, precision)
    const { pack, cache } = chosen
    const engine = await placed(chosen)
    name = pack.name
    const document = wholeDocument(pack, bytes)
    const client = new EngineClient(forkEngine(cache))
    try {
      const showing = process.stderr.isTTY && !values.json
      const { result } = client.score(
        { ...engine, bytes: document.bytes },
        {
          progress: (done) => {
            if (showing) process.stderr.write(`\r${Math.floor((100 * done) / bytes.length)} % `)
          },
          fallback: (line) => void process.stderr.write(`${line}\n`),
        },
      )
      const { logprob, scoreMs } = await result
      if (showing) process.stderr.write("\r")
      const perByte = Array.from(logprob.subarray(document.header), (x) => -x / Math.LN2)
      const sum = perByte.reduce((a, b) => a + b, 0)
      results.push({
        precision: engine.precision,
        bitsPerByte: bytes.length ? sum / bytes.length : 0,
        seconds: scoreMs / 1000,
        perByte,
      })
    } finally {
      client.close()
    }
  }
  const [first] = results
  if (!first) return
  if (values.json) {
    const losses = results
      .slice(1)
      .map((r) => ({ precision: r.precision, bitsPerByte: r.bitsPerByte, loss: r.bitsPerByte - first.bitsPerByte }))
    const { precision, bitsPerByte, perByte } = first
    process.stdout.write(
      `${JSON.stringify({ pack: name, precision, bitsPerByte, bytes: bytes.length, perByte, others: losses })}\n`,
    )
    return
  }
  for (const r of results) {
    const loss =
      r === first
        ? ""
        : `  (${r.bitsPerByte >= first.bitsPerByte ? "+" : ""}${(r.bitsPerByte - first.bitsPerByte).toFixed(5)} against ${first.precision})`
    const rate = r.seconds ? Math.round(bytes.length / r.seconds) : 0
    process.stdout.write(
      `${r.bitsPerByte.toFixed(4)} bits/byte  ${r.precision}  ${bytes.length} bytes at ${rate} bytes/s${loss}\n`,
    )
  }
}

function packs(json: boolean): void {
  const all = listPacks(defaultPaths())
  if (json) {
    process.stdout.write(`${JSON.stringify(all)}\n`)
    return
  }
  for (const p of all) {
    if ("problem" in p) process.stdout.write(`${p.folder}  DAMAGED: ${p.problem}\n`)
    else {
      const { name, title, modality, parameters, heldOut, license } = p.pack
      const held = isMeasured(p.pack) ? `${heldOut.bitsPerByte} bits/byte held out` : "not measured"
      const size = `${(parameters / 1e6).toFixed(1)}M parameters`
      process.stdout.write(`${name}  ${title} (${modality}), ${size}, ${held}, ${license}\n`)
    }
  }
}
