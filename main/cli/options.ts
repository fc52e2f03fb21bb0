/** The options of the commands, as util.parseArgs takes them. */

export const text = { type: "string" } as const
export const flag = { type: "boolean" } as const

/** What runs a pack, and how. */
export const common = { pack: text, precision: text, device: text, threads: text, json: flag }

/** What is made. */
export const making = {
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
export const framing = { crop: text, dither: flag }

/** What was said for options. */
export type Values<T> = { [K in keyof T]?: (T[K] extends { type: "boolean" } ? boolean : string) | undefined }
