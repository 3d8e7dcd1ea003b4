// A message that the workflow sent, as the customer sees it: head, text, foot, and what can be tapped.
import {
  ExternalLink,
  FileText,
  Image,
  MapPin,
  Mic,
  Smile,
  User,
  Video,
  type LucideIcon,
} from "lucide-react";

import type { Bubble, Media, Place, Template } from "./bubbles";
import type { Tap } from "./messages";

type SentProps = {
  bubble: Bubble;
  isLast: boolean;
  onTap: (tap: Tap) => void;
  onShow: (node: string) => void;
  nameOf: (node: string) => string;
};

export function Sent({ bubble, isLast, onTap, onShow, nameOf }: SentProps) {
  const { header, text, footer, media, place, people, template } = bubble;
  const source = (
    <button
      type="button"
      className="mt-1 block text-[11px] text-muted underline-offset-2 hover:underline"
      onClick={() => onShow(bubble.node)}
    >
      {nameOf(bubble.node)}
    </button>
  );
  if (bubble.isReaction)
    return (
      <div className="-mt-2 flex flex-col items-end self-end" data-bubble={bubble.node}>
        <span className="rounded-full border border-line bg-surface px-2 py-0.5 text-sm shadow-sm">
          <span className="sr-only">Workflow reacts with </span>
          {text || "nothing any more"}
        </span>
        {source}
      </div>
    );
  return (
    <div className="flex max-w-[85%] min-w-40 flex-col gap-1 self-start" data-bubble={bubble.node}>
      <div className="rounded-2xl rounded-bl-sm border border-line bg-surface px-3 py-2 text-sm break-words whitespace-pre-wrap shadow-sm">
        <span className="sr-only">Workflow: </span>
        {media && <MediaBox media={media} />}
        {header && <b className="block font-semibold">{header}</b>}
        {place && <PlaceBox place={place} />}
        {people?.map((person) => (
          <span key={`${person.name}${person.phone}`} className="flex items-center gap-2">
            <User size={16} className="shrink-0 text-muted" aria-hidden />
            <span>
              {person.name}
              {person.phone && <span className="block text-xs text-muted">{person.phone}</span>}
            </span>
          </span>
        ))}
        {template && <TemplateBox template={template} />}
        {text}
        {footer && <span className="mt-1 block text-xs text-muted">{footer}</span>}
        {source}
      </div>
      <Below bubble={bubble} isLast={isLast} onTap={onTap} />
    </div>
  );
}

/** Buttons, or the list that one button opens, and what leads out of the chat. */
function Below({ bubble: { taps, links, listTitle }, isLast, onTap }: Omit<SentProps, "onShow" | "nameOf">) {
  const buttons = taps.map((tap) => (
    <button
      key={`${tap.id}/${tap.title}`}
      type="button"
      onClick={() => onTap(tap)}
      className="rounded-lg border border-line bg-surface px-3 py-1.5 text-left text-sm text-accent hover:bg-raised"
    >
      {tap.title}
      {tap.description && <span className="block text-xs text-muted">{tap.description}</span>}
    </button>
  ));
  return (
    <>
      {listTitle ? (
        <details open={isLast} className="rounded-lg border border-line bg-surface">
          <summary className="cursor-pointer px-3 py-1.5 text-sm text-accent">{listTitle}</summary>
          <div className="flex flex-col gap-1 p-1.5">{buttons}</div>
        </details>
      ) : (
        buttons
      )}
      {links.map(({ title, to }) => (
        <span
          key={title}
          title={to}
          className="flex items-center gap-1.5 rounded-lg border border-line bg-surface px-3 py-1.5 text-sm text-accent"
        >
          <ExternalLink size={13} className="shrink-0" aria-hidden />
          <span className="min-w-0 break-words">
            {title}
            {to && <span className="block text-xs break-all text-muted">{to}</span>}
          </span>
        </span>
      ))}
    </>
  );
}

const looks: Record<Media["kind"], { icon: LucideIcon; word: string }> = {
  image: { icon: Image, word: "Picture" },
  video: { icon: Video, word: "Video" },
  audio: { icon: Mic, word: "Voice message" },
  document: { icon: FileText, word: "Document" },
  sticker: { icon: Smile, word: "Sticker" },
};

/** A stand-in: what lies elsewhere is not fetched for a try. */
function MediaBox({ media: { kind, link, name } }: { media: Media }) {
  const { icon: Icon, word } = looks[kind];
  return (
    <span className="mb-1 flex items-center gap-2 rounded-lg bg-raised px-2.5 py-2">
      <Icon size={20} className="shrink-0 text-muted" aria-hidden />
      <span className="min-w-0">
        <span className="block text-xs font-medium">{name ?? word}</span>
        {link && <span className="block text-xs break-all text-muted">{link}</span>}
      </span>
    </span>
  );
}

const PlaceBox = ({ place }: { place: Place }) => (
  <span className="mb-1 flex items-center gap-2 rounded-lg bg-raised px-2.5 py-2">
    <MapPin size={20} className="shrink-0 text-muted" aria-hidden />
    <span className="min-w-0">
      {place.name && <span className="block text-xs font-medium">{place.name}</span>}
      {place.address && <span className="block text-xs text-muted">{place.address}</span>}
      <span className="block text-xs text-muted">
        {place.latitude}, {place.longitude}
      </span>
    </span>
  </span>
);

const TemplateBox = ({ template: { name, language, values } }: { template: Template }) => (
  <span className="block">
    <span className="block text-xs text-muted">
      Template <b className="font-medium text-text">{name}</b> · {language}
    </span>
    {values.map((one) => (
      <span key={one.name} className="flex gap-2 text-sm">
        <code className="shrink-0 text-xs leading-5 text-muted">{`{{${one.name}}}`}</code>
        <span className="min-w-0 break-words">{one.value}</span>
      </span>
    ))}
  </span>
);
