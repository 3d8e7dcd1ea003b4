// placeholder
export default function PhonePanel() {
  return null;
}
