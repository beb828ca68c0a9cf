// One service: how it is, what it uses, why it died, how it is set up.
import type { Metadata } from "next";
import { ServicePage } from "@/components/services/service-page";

type Props = { params: Promise<{ host: string; id: string }> };

const read = async ({ params }: Props) => {
  const { host, id } = await params;
  return { host: decodeURIComponent(host), id: decodeURIComponent(id) };
};

export async function generateMetadata(props: Props): Promise<Metadata> {
  return { title: (await read(props)).id };
}

export default async function Page(props: Props) {
  return <ServicePage {...(await read(props))} />;
}
