<?php
declare(strict_types=1);

namespace Lab;

/** What the two sites publish. */
final class Seeds
{
    /** @return array<string, array{name: string, first: int}> */
    public static function sites(): array
    {
        return [
            'site.localhost' => ['name' => 'Rives', 'first' => 4160],
            'shop.localhost' => ['name' => 'La Remise', 'first' => 5200],
        ];
    }

    /** @return list<array{id: int, publishedAt: string, slug: array<string, string>, title: array<string, string>, body: array<string, string>}> */
    public static function articles(string $host): array
    {
        $magazine = $host === 'site.localhost';
        $articles = [];
        foreach ($magazine ? self::MAGAZINE : self::SHOP as $index => [$fr, $en]) {
            $id = self::sites()[$host]['first'] + $index;
            $articles[] = self::article($id, $index, $fr, $en, $magazine);
        }
        // Two seconds to answer: what is read at the start of them is what is sent at their end.
        $last = self::article(self::sites()[$host]['first'] + count($articles), count($articles), 'Une page lente', 'A slow page', $magazine);
        $last['slug'] = ['fr' => 'lent', 'en' => 'slow'];

        return [...$articles, $last];
    }

    /** @return array{id: int, publishedAt: string, slug: array<string, string>, title: array<string, string>, body: array<string, string>} */
    private static function article(int $id, int $index, string $fr, string $en, bool $magazine): array
    {
        $frText = $magazine ? self::TEXT_FR : self::SHOP_FR;
        $enText = $magazine ? self::TEXT_EN : self::SHOP_EN;

        return [
            'id' => $id,
            'publishedAt' => gmdate('Y-m-d H:i:s', 1_735_725_600 + $index * 86_400),
            'slug' => ['fr' => self::slug($fr), 'en' => self::slug($en)],
            'title' => ['fr' => $fr, 'en' => $en],
            'body' => [
                'fr' => $frText[$index % 4] . "\n\n" . $frText[($index + 1) % 4],
                'en' => $enText[$index % 4] . "\n\n" . $enText[($index + 1) % 4],
            ],
        ];
    }

    private static function slug(string $title): string
    {
        $plain = (string) transliterator_transliterate('Any-Latin; Latin-ASCII; Lower()', str_replace('’', ' ', $title));

        return trim((string) preg_replace('/[^a-z0-9]+/', '-', $plain), '-');
    }

    private const TEXT_FR = [
        'Le rendez-vous est donné sur le quai, à l’heure où les péniches rentrent. L’entrée est libre et la buvette tient jusqu’à minuit.',
        'Trois générations se partagent la scène : les anciens racontent, les plus jeunes répondent, et le public finit toujours par chanter.',
        'Prévoyez une laine : même en juin, le vent descend la rivière. Les enfants sont les bienvenus, les chiens aussi.',
        'En cas de pluie, repli dans la halle. Le programme complet est affiché à la capitainerie et à la bibliothèque.',
    ];
    private const TEXT_EN = [
        'Meet on the quay as the barges come home. Entrance is free and the bar stays open until midnight.',
        'Three generations share the stage: the old ones tell, the young ones answer, and the audience always ends up singing.',
        'Bring something warm: even in June the wind comes down the river. Children are welcome, and so are dogs.',
        'If it rains we move to the market hall. The full programme hangs at the harbour office and in the library.',
    ];
    private const SHOP_FR = [
        'Fabriqué à la main dans l’atelier du port, en petite série, dans du bois de récupération.',
        'Livré sous trois jours, ou à retirer sur place ; l’emballage est repris.',
        'Garanti dix ans. Les pièces d’usure se trouvent ici, et nous montrons comment les changer.',
        'Chaque pièce est différente : les nuances du bois ne sont pas un défaut.',
    ];
    private const SHOP_EN = [
        'Made by hand in the harbour workshop, in small numbers, from reclaimed wood.',
        'Delivered within three days, or collected from us; we take the packaging back.',
        'Guaranteed for ten years. Spare parts are kept here, and we show how to fit them.',
        'Every piece is different: the shades of the wood are not a fault.',
    ];
    private const MAGAZINE = [
        ['La fête de la rivière', 'The river festival'], ['Concert sur les péniches', 'Concert on the barges'],
        ['Le marché des potiers', 'The potters’ market'], ['Cinéma sous les platanes', 'Cinema under the plane trees'],
        ['Nuit des musées', 'Night of museums'], ['Course de canoës', 'Canoe race'],
        ['Atelier de gravure', 'Printmaking workshop'], ['Lectures au phare', 'Readings at the lighthouse'],
        ['Le bal des pompiers', 'The firemen’s ball'], ['Exposition : les ponts', 'Exhibition: the bridges'],
        ['Balade botanique', 'Botanical walk'], ['Jazz à la capitainerie', 'Jazz at the harbour office'],
        ['Foire aux livres', 'Book fair'], ['Théâtre de poche', 'Pocket theatre'],
        ['La transhumance', 'The sheep drive'], ['Festival du conte', 'Storytelling festival'],
        ['Portes ouvertes aux ateliers', 'Open studios'], ['Dégustation de cidre', 'Cider tasting'],
        ['Visite des écluses', 'Visit to the locks'], ['Le grand débarras', 'The great clear-out'],
        ['Orgue et violoncelle', 'Organ and cello'], ['Champignons d’automne', 'Autumn mushrooms'],
        ['Grande soirée d’été', 'Great summer evening'], ['Photographies du canal', 'Photographs of the canal'],
        ['Danses du monde', 'Dances of the world'], ['Fanfares de printemps', 'Brass bands in spring'],
        ['Nuit des étoiles', 'Night of stars'], ['Marché de Noël', 'Christmas market'],
        ['Le carnaval', 'The carnival'],
    ];
    private const SHOP = [
        ['Tabouret de pêcheur', 'Fisherman’s stool'], ['Lampe de cabine', 'Cabin lamp'], ['Table d’écluse', 'Lock table'],
        ['Banc de quai', 'Quay bench'], ['Étagère flottante', 'Floating shelf'], ['Coffre de marin', 'Sailor’s chest'],
        ['Miroir hublot', 'Porthole mirror'], ['Chaise longue', 'Deck chair'], ['Boîte à gréement', 'Rigging box'],
        ['Planche à découper', 'Chopping board'], ['Porte-manteau', 'Coat rack'], ['Cadre en chêne', 'Oak frame'],
        ['Pupitre d’écolier', 'School desk'], ['Horloge de marée', 'Tide clock'], ['Nichoir', 'Nesting box'],
        ['Plateau rond', 'Round tray'], ['Échelle de bibliothèque', 'Library ladder'], ['Valet de nuit', 'Valet stand'],
        ['Jardinière', 'Planter'], ['Bougeoir', 'Candlestick'], ['Casier à vin', 'Wine rack'],
        ['Support de vélo', 'Bicycle stand'], ['Jeu de quilles', 'Skittles'], ['Bateau de bain', 'Bath boat'],
        ['Cuillère en buis', 'Boxwood spoon'], ['Moulin à poivre', 'Pepper mill'], ['Berceau', 'Cradle'],
        ['Paravent', 'Folding screen'], ['Chevalet', 'Easel'],
    ];
}
