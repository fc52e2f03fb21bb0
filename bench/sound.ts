import { secondBytes, soundOf } from "../contract/pack.ts"
import { PagePack } from "../native-models/page.ts"
import { benchPack } from "./random-pack.ts"

/** Seconds of sound that are made. */
const SECONDS = 8

/** How fast a sound pack makes its sound, one variation in 8 bits: bytes a second beside those that are played. */
export async function soundSpeed(name: string): Promise<{ made: number; played: number }> {
  const page = new PagePack(benchPack(name))
  const sound = soundOf(page.pack)
  if (!sound) throw new Error(`${name} is no sound pack`)
  const played = secondBytes(sound)
  const make = (seconds: number) => page.generate({ seed: 1, style: sound.defaultStyle ?? 0, length: seconds * played })
  await make(1) // compiles, loads and measures threads
  const began = performance.now()
  await make(SECONDS)
  const made = (SECONDS * played) / ((performance.now() - began) / 1000)
  page.close()
  return { made, played }
}
