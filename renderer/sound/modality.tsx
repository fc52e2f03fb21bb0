import { decodeSamples } from "../../contract/samples.ts"
import { writeWav } from "../../contract/wav.ts"
import { dataAddress } from "../lib/bytes.ts"
import type { ModalityView, Pointing, Shown } from "../modality/view.ts"
import { useActions, useSlice } from "../store/context.ts"
import { Begin } from "../work/Begin.tsx"
import { SoundPrompt } from "./SoundPrompt.tsx"
import { SoundThumb } from "./SoundThumb.tsx"
import { SoundView } from "./SoundView.tsx"

function Item({ item, content, pack, hovered, selected, onHover }: Shown & Pointing) {
  const actions = useActions()
  const version = useSlice((s) => s.version)
  const live = useSlice((s) => s.run?.ids.includes(item.id) ?? false)
  const surprise = useSlice((s) => s.surprise)
  if (!pack?.sound) return null
  return (
    <SoundView
      {...{ content, version }}
      given={item.given}
      heat={surprise}
      usual={pack.bitsPerByte}
      sound={pack.sound}
      total={live ? item.given + item.settings.length : undefined}
      label={`Sound of ${item.title}`}
      pointing={{ hovered, selected, onHover, patch: pack.patch }}
      onSelect={actions.pickPatch}
    />
  )
}

function Draft({ pack: { sound } }: { pack: NonNullable<Shown["pack"]> }) {
  const actions = useActions()
  const { media } = useSlice((s) => s.draft)
  if (!sound) return null
  if (!media)
    return (
      <Begin
        lead="Choose a style and make a sound, or drop a recording: it goes on from the time you choose."
        example={["chorale.flac", "a chorale on the organ"]}
      />
    )
  const keep = (kept: number) => actions.setDraft({ media: { ...media, kept } })
  return <SoundPrompt bytes={media.bytes} sound={sound} kept={media.kept} onKept={keep} />
}

export const audio: ModalityView = {
  icon: "sound",
  letters: false,
  Item,
  Draft,
  Thumb: ({ content, pack, version }) =>
    pack?.sound && <SoundThumb content={content} sound={pack.sound} version={version} />,
  dragged({ item, content, pack }) {
    if (!content || !pack?.sound) return undefined
    const settings = item.scored ? undefined : item.settings
    return dataAddress("audio/wav", writeWav(decodeSamples(content.bytes, pack.sound), pack.sound.rate, settings))
  },
  look: () => ({ name: (byte) => `${byte - 128}` }),
}
