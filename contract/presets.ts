import { type Modality, modalities } from "./modality/index.ts"
import { defaultSampling, type Presets, type Sampling } from "./sampling.ts"

type Sampled = { modality: Modality; sampling?: Sampling | undefined; presets?: Presets | undefined }

/** Three ways to sample: the pack's own, or what its modality makes of its default. */
export function presetsOf(pack?: Sampled): Record<"tame" | "default" | "wild", Sampling> {
  const usual = pack?.sampling ?? defaultSampling
  const { tame, wild } = modalities[pack?.modality ?? "text"].presets(usual)
  return { tame: pack?.presets?.tame ?? tame, default: usual, wild: pack?.presets?.wild ?? wild }
}
