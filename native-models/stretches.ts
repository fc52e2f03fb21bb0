import { z } from "zod"

/** What a pack's description says of its training; each stretch began with the weights of the one inside of it. */
const Stretch = z.object({
  steps: z.number(),
  bytesSeen: z.number(),
  minutes: z.number(),
  hardware: z.string(),
  note: z.string().optional(),
  meanWith: z.string().optional(),
  get init() {
    return Stretch.optional()
  },
})
type Stretch = z.infer<typeof Stretch>

/** The stretches of a training in words, the first first; for the packs' pages. */
export function stretches(training: unknown): string {
  const told = ({ steps, bytesSeen, minutes, hardware, note, meanWith, init }: Stretch): string[] => [
    ...(init ? told(init) : []),
    `${minutes} minutes on ${hardware} (${steps} steps, ${(bytesSeen / 1e6).toFixed(0)} MB seen` +
      `${meanWith ? "; what went on is the mean of its weights and those it began with" : ""}${note ? `; ${note}` : ""})`,
  ]
  return told(Stretch.parse(training)).join(", then ")
}
