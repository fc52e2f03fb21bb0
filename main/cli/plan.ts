import { randomInt } from "node:crypto"
import { LONGEST_TEXT } from "../../contract/app.ts"
import { MAX_LENGTH, MAX_SEED, MAX_VARIATIONS } from "../../contract/limits.ts"
import { modalities } from "../../contract/modality/index.ts"
import { canBeGuided, documentsOf, type Pack } from "../../contract/pack.ts"
import { presetsOf } from "../../contract/presets.ts"
import { MOST_GUIDANCE, type Sampling } from "../../contract/sampling.ts"
import { documentBounds } from "../packs/read.ts"
import { number, UsageError } from "./arguments.ts"
import type { flag, making, Values } from "./options.ts"
import { outputNames } from "./output.ts"

/** What a generation begins with. */
export type Given = {
  bytes: Uint8Array
  /** Those of a sound, finer than its bytes. */
  samples?: Float32Array | undefined
  /** Whether a text was cut within a word, which may then go on. */
  withinWord?: boolean
}

export type MakingValues = Values<typeof making & { columns: typeof flag }>

/** What is to be made, checked before anything is begun. */
export type Plan = ReturnType<typeof planOf>

/** @throws UsageError where an option does not fit the pack, or a number its bounds */
export function planOf(given: Given, values: MakingValues, pack: Pack) {
  const form = formOf(pack, values)
  const untilEnd = values["until-end"] ?? false
  const { unit, endMark } = documentsOf(pack)
  if (values.seconds !== undefined && unit.name !== "seconds")
    throw new UsageError("--seconds is for sounds; use --bytes")
  if (untilEnd && endMark === undefined)
    throw new UsageError(`--until-end is for texts that end, and the pack ${pack.name} has no end mark; use --bytes`)
  const style = styleOf(pack, values.style)
  const { columns } = values
  const { header, room, ...bounds } = documentBounds(pack, given.bytes, { style, columns, untilEnd })
  if (room <= 0) throw new UsageError("the whole picture is kept, so there is nothing left to generate; --keep less")
  const length = lengthOf(pack, values, room)
  const seed = number("seed", values.seed, randomInt(MAX_SEED), { min: 0, max: MAX_SEED, whole: true })
  const variations = number("variations", values.variations, 1, { min: 1, max: MAX_VARIATIONS, whole: true })
  const sampling = samplingOf(values, pack)
  return {
    pack,
    form,
    header,
    seed,
    variations,
    style,
    untilEnd,
    columns,
    /** What the engine is asked for besides where it runs, the seed and the variations. */
    request: { ...bounds, isText: bounds.isText && !given.withinWord, length, sampling },
    enlarge: number("enlarge", values.enlarge, 1, { min: 1, max: 64, whole: true }),
    /** Files, one a variation. */
    names: values.out ? outputNames(values.out, variations) : undefined,
    /** Whether it is shown as it is written. */
    live: !values.out && !values.json && variations === 1,
  }
}

/** The form of file that a name ends in. @throws UsageError where the modality needs one of its own */
function formOf(pack: Pack, { out, json }: MakingValues): string | undefined {
  const { noun, forms } = modalities[pack.modality]
  const extensions = [...new Set(Object.values(forms).map(({ extension }) => extension))]
  const form = Object.keys(forms).find((name) => out?.toLowerCase().endsWith(forms[name]?.extension ?? ""))
  const { raw } = documentsOf(pack).files
  if (raw && !out && !json) throw new UsageError(`a ${noun} needs a file: --out FILE${extensions.join(" or FILE")}`)
  if (raw && out && !form) throw new UsageError(`a ${noun} is written as ${extensions.join(" or ")}, not as "${out}"`)
  return form
}

/** Bytes to be made, `room` at most. @throws UsageError */
function lengthOf(pack: Pack, values: MakingValues, room: number): number {
  const { unit, usualLength } = documentsOf(pack)
  const seconds = number("seconds", values.seconds, usualLength / unit.bytes, { min: 0.001, max: 86400 })
  const timed = values.seconds === undefined ? Math.min(usualLength, room) : Math.ceil(seconds * unit.bytes)
  const usual = values["until-end"] ? LONGEST_TEXT : timed
  return Math.min(number("bytes", values.bytes, usual, { min: 1, max: MAX_LENGTH, whole: true }), room)
}

/** The number of a style by its name. @throws UsageError */
function styleOf(pack: Pack, name: string | undefined): number {
  const { styles, defaultStyle } = documentsOf(pack)
  if (name === undefined) return defaultStyle
  const style = styles.indexOf(name)
  if (style < 0) {
    if (!styles.length) throw new UsageError(`the pack ${pack.name} has no styles; leave --style out`)
    throw new UsageError(`--style must be one of ${styles.map((s) => `"${s}"`).join(", ")}, not "${name}"`)
  }
  return style
}

/** A preset of the pack, and what was said besides. @throws UsageError */
function samplingOf(values: MakingValues, pack: Pack): Sampling {
  const { preset = "default" } = values
  if (preset !== "tame" && preset !== "default" && preset !== "wild")
    throw new UsageError(`--preset must be tame, default or wild, not "${preset}"`)
  const d = presetsOf(pack)[preset]
  const guidance = number("guidance", values.guidance, d.guidance ?? 1, { min: 1, max: MOST_GUIDANCE })
  if (guidance > 1 && !canBeGuided(pack))
    throw new UsageError(`the pack ${pack.name} takes no --guidance; leave it out`)
  return {
    temperature: number("temperature", values.temperature, d.temperature, { min: 0, max: 10 }),
    topP: number("top-p", values["top-p"], d.topP, { min: 1e-6, max: 1 }),
    topK: number("top-k", values["top-k"], d.topK, { min: 0, max: 256, whole: true }),
    minP: number("min-p", values["min-p"], d.minP, { min: 0, max: 1 }),
    guidance,
  }
}
