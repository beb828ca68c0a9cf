// A folder of a snapshot.
import type { Metadata } from "next";
import { FolderPage } from "@/components/backup/folder-page";

type Props = { params: Promise<{ repository: string; snapshot: string }> };

const read = async ({ params }: Props) => {
  const { repository, snapshot } = await params;
  return { repository: decodeURIComponent(repository), snapshot: decodeURIComponent(snapshot) };
};

export async function generateMetadata(props: Props): Promise<Metadata> {
  const { repository, snapshot } = await read(props);
  return { title: `${repository} ${snapshot.slice(0, 8)}` };
}

export default async function Page(props: Props) {
  return <FolderPage {...(await read(props))} />;
}
