import type { PackSummary } from "../../contract/app.ts"
import { presetsOf } from "../../contract/presets.ts"
import { isGuided, type Sampling } from "../../contract/sampling.ts"

/** The way from tame to wild: three settings that were measured for the pack, and what lies between. */
export type Path = { tame: Sampling; usual: Sampling; wild: Sampling }

/** The path of a pack: its own where it has one, otherwise by temperature about what it was tried with. */
export function pathOf(pack: PackSummary | undefined): Path {
  const { tame, default: usual, wild } = presetsOf(pack)
  return { tame, usual, wild }
}

/** Settings at `at` of a path: 0 tame, 0.5 usual, 1 wild; between them in a straight line. */
export function samplingAt({ tame, usual, wild }: Path, at: number): Sampling {
  const [from, to, t] = at < 0.5 ? [tame, usual, at * 2] : [usual, wild, at * 2 - 1]
  const mix = (a: number, b: number) => Math.round((a + (b - a) * t) * 1000) / 1000
  return {
    temperature: mix(from.temperature, to.temperature),
    topP: mix(from.topP, to.topP),
    minP: mix(from.minP, to.minP),
    topK: Math.round(mix(from.topK, to.topK)),
    ...(isGuided(from) || isGuided(to) ? { guidance: mix(from.guidance ?? 1, to.guidance ?? 1) } : {}),
  }
}

/** Where settings lie on a path, in hundredths; undefined where they lie beside it. */
export function placeOn(path: Path, sampling: Sampling): number | undefined {
  for (let step = 0; step <= 100; step++) {
    const { temperature, topP, minP, topK, guidance = 1 } = samplingAt(path, step / 100)
    const near = (a: number, b: number) => Math.abs(a - b) < 2e-3
    if (
      near(temperature, sampling.temperature) &&
      near(topP, sampling.topP) &&
      near(minP, sampling.minP) &&
      near(guidance, sampling.guidance ?? 1) &&
      topK === sampling.topK
    )
      return step / 100
  }
  return undefined
}
