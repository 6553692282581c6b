// SPDX-License-Identifier: Apache-2.0
#include "gateway/demo/village.hpp"

#include <array>

namespace tulpar::demo {
namespace {

constexpr auto kNames = std::to_array<std::string_view>({
    "School roof", "Мектеп",       "Фельдшер",   "Bakery",  "Перевал",      "Асан",         "Snow plough 1",
    "Ферма",       "Boiler house", "Почта",      "Айгүл",   "Баба Нюра",    "Pump station", "Ақбұлақ",
    "Дамир",       "Ranger",       "Лесник",     "Тоған",   "Weather mast", "Марал",        "Water tower",
    "Мельница",    "Гүлнар апа",   "Road crew",  "Пекарня", "Ерлан",        "Library",      "Мост",
    "Қыстау",      "Generator",    "Дед Матвей", "Ski hut",
});

// Six of ten messages are of this kind: the median of recorded texts is 13.5 bytes.
constexpr auto kShort = std::to_array<std::string_view>({
    "ok",       "да",         "иә",      "+",     "thanks!", "рақмет",  "спасибо",    "anyone up?", "test",
    "жоқ",      "слышно",     "here",    "где?",  "coming",  "hot tea", "как дела",   "свет есть",  "нан бар",
    "no power", "good night", "келемін", "жақсы", "wait",    "принял",  "still snow", "on my way",
});

constexpr auto kLong = std::to_array<std::string_view>({
    "Road over the pass is closed, two metres of snow",
    "Generator at the school runs till 22:00, bring your phones",
    "Дорога закрыта, снега по пояс",
    "Хлеб будет к обеду",
    "Жол жабық, қар қалың",
    "Жарық қашан қосылады?",
    "Spare firewood at the mill, help yourselves",
    "Who has insulin? Needed at the clinic today",
    "У кого есть солярка?",
    "Отын бар ма?",
    "Бәрі аман-есен",
    "Helicopter not before Thursday, wind too strong",
    "Вертолёт в четверг, если стихнет ветер",
    "Су құбыры қатып қалды",
    "Мама, мы у Асана, всё хорошо",
    "-31 on the ridge, stay in",
    "Ертең мектепте сабақ болмайды",
    "Дәрігер мектепте қабылдап жатыр",
    "Please check on Matvey, his chimney has no smoke since morning",
    "Нан келді, дүкенге келіңіздер",
    "Soup at the school at one, everybody welcome. Bring a bowl and, if you can, a few potatoes. "
    "The small ones first, then the rest of us",
    "Трактор пробился до моста, дальше лавина. Завтра с утра пробуем ещё раз, нужны лопаты и люди",
});

constexpr auto kEmergencies = std::to_array<std::string_view>({
    "two people hurt by an avalanche, need a doctor",
    "женщина рожает, дорога закрыта",
    "child with high fever, no medicine left",
    "балаға көмек керек, жол жабық",
});

constexpr auto kReplies = std::to_array<std::string_view>({
    "Help is on the way",
    "Көмек келе жатыр",
    "Помощь идёт, держитесь",
    "A helicopter takes off at first light",
});

}  // namespace

std::string_view village_name(std::size_t index) { return kNames[index]; }
std::size_t village_name_count() { return kNames.size(); }

std::string_view village_text(Random& random) {
  if (random.chance(0.6)) return kShort[random.below(kShort.size())];
  return kLong[random.below(kLong.size())];
}

std::string_view village_emergency(std::size_t nth) { return kEmergencies[nth % kEmergencies.size()]; }

std::string_view village_reply(std::size_t nth) { return kReplies[nth % kReplies.size()]; }

}  // namespace tulpar::demo
