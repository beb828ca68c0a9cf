// One component's health.
import type { Metadata } from "next";
import { ComponentPage } from "@/components/overview/component-page";

type Props = { params: Promise<{ kind: string; name: string }> };

const read = async ({ params }: Props) => {
  const { kind, name } = await params;
  return { kind: decodeURIComponent(kind), name: decodeURIComponent(name) };
};

export async function generateMetadata(props: Props): Promise<Metadata> {
  return { title: (await read(props)).name };
}

export default async function Page(props: Props) {
  return <ComponentPage {...(await read(props))} />;
}
