// How the platform, or the reseller, looks to everybody below it.
import { readHostBrand } from "../app/brand";
import { Branding } from "../scopes/Branding";
import { useMayBeyond } from "../session/session";

export default function BrandingPage() {
  const mayWrite = useMayBeyond()("branding:write");
  return (
    <Branding
      of="team"
      description="Workspaces show this where they set nothing of their own."
      mayWrite={mayWrite}
      onSaved={readHostBrand}
    />
  );
}
