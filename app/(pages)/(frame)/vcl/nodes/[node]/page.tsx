// What one Varnish tells of itself.
import type { Metadata } from "next";
import { NodePage } from "@/components/vcl/node-page";

type Props = { params: Promise<{ node: string }> };

const nodeOf = async ({ params }: Props) => decodeURIComponent((await params).node);

export async function generateMetadata(props: Props): Promise<Metadata> {
  return { title: await nodeOf(props) };
}

export default async function Page(props: Props) {
  return <NodePage node={await nodeOf(props)} />;
}
